"""``truth.json``: every planted story and every true parameter of a simulated company."""

from dataclasses import asdict

from funnel_lib.simulate import activity, clients
from funnel_lib.simulate.description import MEASURES
from funnel_lib.simulate.profiles import Profile
from funnel_lib.simulate.stories import SHIFTS, SURGE_DAYS, TRIALS
from funnel_lib.simulate.truth import company_rates, true_rates


def planted(processes: list[Profile], realised: dict[str, dict], seed: int, leads: int, bad_rows: list[dict]) -> dict:
    """The truth of the company; plain numbers, texts, lists and dicts only."""
    return {"seed": seed, "leads": leads, "bad_rows": bad_rows,
            "processes": {process.key: _process(process, realised[process.key]) for process in processes}}


def _process(process: Profile, realised: dict) -> dict:
    stories = _STORIES[process.kind](realised) | {
        "strain_mean": {"conversion": 4.2, "elsewhere": 2.1}, "skipped_step_share": process.skip_share,
        "return_after_lost_share": process.return_share,
        "past_measures": [asdict(trial) for trial in TRIALS[process.kind]],
        "future_measures_that_pay": [m.key for m in MEASURES[process.kind] if m.pays],
        "future_measures_that_do_not_pay": [m.key for m in MEASURES[process.kind] if m.pays is False],
        "card_levels": {card.key: {"claimed": card.level, "shown": card.shown_level} for card in process.cards}}
    return {"leads": process.leads_count, "rates_of_the_company": company_rates(process),
            "rates_of_leads_alone": true_rates(process.kind), "stories": stories, "parameters": _parameters(process)}


def _parameters(process: Profile) -> dict:
    """The profile without its technology cards, which ``company.yaml`` shows."""
    values = asdict(process)
    del values["cards"], values["names"]
    return values


def _retail(realised: dict) -> dict:
    return {"sufficiency": "not enough", "off_target_channel": {"channel": "student_blog", "leads_share": 0.35,
                                                                "target_share": 0.08},
            "week_end_leads_answered_on": "monday or later",
            "channel_shift": [asdict(shift) for shift in SHIFTS["retail"]],
            "channel_shift_says": "total conversion falls in the last quarter while that of each channel rises",
            "surge": dict(zip(("first_day", "days", "times"), SURGE_DAYS["retail"], strict=True)),
            "refunds_count": clients.REFUNDS["retail"]}


def _wholesale(realised: dict) -> dict:
    return {"sufficiency": "enough", "lucky_owner": {"owner": "vera", "deals_count": len(realised["lucky_owner_leads"]),
                                                     "leads": realised["lucky_owner_leads"],
                                                     "says": "looks best by luck; every owner has the same true rates"},
            "first_order_margin_share": -0.15, "payback_month": 5,
            "key_client": {"customer_id": "WK000001", "amount_share": clients.KEY_CLIENT_SHARE},
            "late_clients": {"at_least_orders_count": clients.LATE_CLIENT_ORDERS, "customer_ids": realised["late_clients"]},
            "binding_role": "negotiator", "negotiators_hours_on_callers_cards_share":
                activity.NEGOTIATORS_ON_CALLERS_WORK_SHARE,
            "robot_call": {"leads_share": 0.45, "cost_against_field_visit": 0.1},
            "overclaimed_card": {"card": "write_proposal", "claimed": 3, "shown": 1},
            "refunds_count": clients.REFUNDS["wholesale"]}


def _custom(realised: dict) -> dict:
    return {"sufficiency": "cannot tell", "recommended_new_customers_share": 0.25,
            "recommender": {"customer_id": "CK000002", "new_customers_count": clients.RECOMMENDER_CLIENTS},
            "lifetime_model": "too few repeaters", "refunds_count": clients.REFUNDS["custom"]}


_STORIES = {"retail": _retail, "wholesale": _wholesale, "custom": _custom}
