"""The flow of leads in sentences: signals and noise, the week, target leads against others, campaigns, the cards."""

from __future__ import annotations

import pandas as pd

from funnel_lib import lead_flow as measures
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.errors import MeasureError
from funnel_lib.language.formats import is_available
from funnel_lib.lead_flow.counts import finest_period
from funnel_lib.lead_flow.flow import level_runs, weekday_p_value
from funnel_lib.limits import MIN_PERIODS, OUTSIDE, RUN
from funnel_lib.periods import PERIODS, next_period_start
from funnel_lib.rates import FEW, rate, ratio
from funnel_lib.schema import MISSING, OTHER

# So uneven a week comes less than once in a hundred if all weekdays are alike.
CLEARLY = 0.01
_NAMED = 3
# Where leads are too rare by week they are told by the month or quarter.
_PERIODS = ("week", "month", "quarter")
FAR_PART = 1 / 3


# -- ups and downs -------------------------------------------------------------------------------------------------------


def signals(process: Process) -> list[Sentence]:
    """What of the weekly ups and downs is a signal and what is noise, and whether the level has moved."""
    say = Speaker(process)
    table, per = _flow(process)
    known = table[table["mean_count"].notna() & table["complete"].astype(bool)]
    if known.empty:
        return [_too_few(table, per, say)]
    row, outside, runs = known.iloc[0], known[known["signal"] == OUTSIDE], level_runs(table)
    signals_count = int((known["signal"] != "noise").sum())
    text = (f"A {per} brings {say.number(row.mean_count)} new leads on average ({say.count(len(known))} complete {per}s, "
            f"{say.date(known['period_start'].iloc[0])} – {_last_day(known['period_start'].iloc[-1], per, say)}); anything from "
            f"{say.number(row.lower_limit_count)} to {say.number(row.upper_limit_count)} is noise, and looking for its cause is "
            "lost time.")
    if not signals_count:
        text += f" No {per} was a signal."
    numbers = {"mean_count": row.mean_count, "lower_limit_count": row.lower_limit_count,
               "upper_limit_count": row.upper_limit_count, f"{per}s_count": len(known), "signals_count": signals_count}
    return [Sentence("flow_limits", text, **numbers), *_outside(outside, per, say),
            *(_moved(runs, per, say) or _lifted(known, per, say))]


def _flow(process: Process) -> tuple[pd.DataFrame, str]:
    """The flow by the shortest period that has limits; where none has, by the shortest that can be told at all."""
    finest = list(PERIODS).index(finest_period(process))
    told = [per for per in _PERIODS if list(PERIODS).index(per) >= finest] or ["year"]
    first = measures.flow_limits(process, per=told[0])
    # A longer period is no way out where the time observed is too short.
    if first.empty or first["mean_count"].notna().any() or first["complete"].sum() < MIN_PERIODS:
        return first, told[0]
    for per in told[1:]:
        table = measures.flow_limits(process, per=per)
        if table["mean_count"].notna().any():
            return table, per
    return first, told[0]


def _too_few(table: pd.DataFrame, per: str, say: Speaker) -> Sentence:
    count = int(table["complete"].sum()) if len(table) else 0
    if count >= MIN_PERIODS:
        leads = int(table.loc[table["complete"].astype(bool), "leads_count"].sum())
        text = (f"What of the ups and downs of the flow is a signal cannot be told: {say.count(leads)} leads in {say.count(count)} "
                f"complete {per}s are too few.")
    else:
        have = f"only {say.count(count)} complete {per}{' has' if count == 1 else 's have'}" if count else f"no complete {per} has"
        text = (f"What of the ups and downs of the flow is a signal cannot be told yet: {have} been observed, it takes "
                f"{MIN_PERIODS}. Until then a good or a bad {per} is no reason to act.")
    return Sentence("flow_limits", text, **{f"{per}s_count": count})


def _outside(outside: pd.DataFrame, per: str, say: Speaker) -> list[Sentence]:
    """The latest periods in which something happened, with their dates."""
    if outside.empty:
        return []
    parts = [f"the {per} from {say.date(row.period_start)} with {say.count(row.leads_count)} leads "
             f"({'above' if row.leads_count > row.mean_count else 'below'})" for row in outside.tail(_NAMED).itertuples()]
    one = len(outside) == 1
    text = (f"{say.count(len(outside))} {per}{' was a signal' if one else 's were signals'}, outside the limits: "
            f"{'' if len(outside) <= _NAMED else 'the latest are '}{'; '.join(parts)}. Something happened then: find out what.")
    return [Sentence("flow_outside", text, outside_count=len(outside), latest=outside["period_start"].iloc[-1],
                     latest_count=int(outside["leads_count"].iloc[-1]))]


def _moved(runs: pd.DataFrame, per: str, say: Speaker) -> list[Sentence]:
    """Stretches on one side of the mean: the level itself has risen or fallen, now or for a while."""
    if runs.empty:
        return []
    row = runs.iloc[-1]
    mean, where = float(ratio(row.leads_count, row.periods_count)), "above" if row.side > 0 else "below"
    numbers = {"first": row["first"], "last": row["last"], "run_count": int(row.periods_count), "side": int(row.side),
               "run_mean_count": mean, "runs_count": len(runs), "is_latest": bool(row.is_latest)}
    stretch = f"{say.count(row.periods_count)} {per}s in a row {where} the mean, {say.number(mean)} leads a {per}"
    if row.is_latest:
        text = (f"The level has {'risen' if row.side > 0 else 'fallen'} since {say.date(row['first'])}: {stretch}. That is no "
                "chance: find out what changed.")
    else:
        text = (f"From {say.date(row['first'])} to {_last_day(row['last'], per, say)} the level was "
                f"{'higher' if row.side > 0 else 'lower'}: {stretch}. Since then it has not stayed on one side.")
    if len(runs) > 1:
        text += f" There were {say.count(len(runs) - 1)} more such stretches before."
        text = text.replace("were 1 more such stretches", "was 1 more such stretch")
    return [Sentence("flow_level", text, **numbers)]


def _lifted(known: pd.DataFrame, per: str, say: Speaker) -> list[Sentence]:
    """Runs that are there only because a surge, or a hole, moves the mean of all periods."""
    count = int((known["signal"] == RUN).sum())
    if not count:
        return []
    text = (f"{say.count(count)} {per}s are marked as runs of eight, but only because the {per}s outside the limits move the mean: "
            "without those the level has not moved.")
    return [Sentence("flow_level", text, run_count=count, runs_count=0)]


def _last_day(start: pd.Timestamp, per: str, say: Speaker) -> str:
    return say.date(next_period_start(start, per) - pd.Timedelta(days=1))


# -- the week ------------------------------------------------------------------------------------------------------------


def weekdays(process: Process) -> list[Sentence]:
    """On which weekdays leads come and do not come, where the week is clearly uneven."""
    say, profile = Speaker(process), measures.weekday_profile(process)
    p_value, total = weekday_p_value(process), int(profile["leads_count"].sum())
    weeks = int(profile["days_count"].max())
    if not is_available(p_value):
        text = (f"Whether leads prefer some weekdays cannot be told yet: {say.count(total)} leads came in {say.count(weeks)} whole "
                f"week{'' if weeks == 1 else 's'}.")
        return [Sentence("weekdays", text, leads_count=total, weeks_count=weeks)]
    mean = float(ratio(total, profile["days_count"].sum()))
    high = profile[profile["leads_low_per_day"] > mean].sort_values("leads_per_day", ascending=False, kind="stable")
    low = profile[profile["leads_high_per_day"] < mean].sort_values("leads_per_day", kind="stable")
    if p_value >= CLEARLY or (high.empty and low.empty):
        return []
    numbers = {"p_value": p_value, "leads_count": total, "weeks_count": weeks, "mean_per_day": mean,
               "high_days": tuple(high["weekday"]), "low_days": tuple(low["weekday"])}
    parts = [f"{word}: {_days(days, say)}" for word, days in (("more than that", high), ("fewer", low)) if len(days)]
    found = "; ".join(parts)
    text = (f"Leads do not come evenly over the week ({say.count(total)} in {say.count(weeks)} whole weeks, {say.number(mean)} a "
            f"day on average). {found[:1].upper()}{found[1:]}. Have people there to answer on the days on which leads come.")
    return [Sentence("weekdays", text, **numbers)]


def _days(days: pd.DataFrame, say: Speaker) -> str:
    """All the days that stand out, the furthest first and with its numbers."""
    row = days.iloc[0]
    first = (f"{say.label(row.weekday)} ({say.number(row.leads_per_day)} a day, 95 % interval "
             f"{say.range(row.leads_low_per_day, row.leads_high_per_day, 'number')}, {say.count(row.leads_count)} leads)")
    return ", ".join([first, *(say.label(key) for key in days["weekday"].iloc[1:])])


# -- whom the leads are --------------------------------------------------------------------------------------------------


def target_against_other(process: Process) -> list[Sentence]:
    """Whether leads on target buy more, and bring more, than the others; what cannot be told from their intervals."""
    say, table = Speaker(process), measures.target_conversion(process).set_index("target_group")
    target, other, unknown = (table.loc[kind] for kind in ("target", "other", "unknown"))
    if not target.leads_count + other.leads_count:
        text = (f"No lead has a known segment ({say.count(unknown.leads_count)} unknown), so whether leads on target buy more "
                "cannot be told: record the segment when a lead comes.")
        return [Sentence("target_against_other", text, unknown_count=int(unknown.leads_count))]
    if not target.leads_count or not other.leads_count:
        count, where = int(target.leads_count + other.leads_count), "on" if target.leads_count else "off"
        text = f"All {say.count(count)} leads with a known segment are {where} target, so there is nothing to compare."
        return [Sentence("target_against_other", text, leads_count=count)]
    return [*_target_buys(target, other, process), *_target_brings(target, other, say)]


def _target_buys(target: pd.Series, other: pd.Series, process: Process) -> list[Sentence]:
    say = Speaker(process)
    if not (is_available(target.base_count) and is_available(other.base_count)):
        raise MeasureError(f"{process.name}: needs movement of the leads through described steps to tell whether leads on target "
                           "buy more")
    numbers = {f"{kind}_{name}": row[name] for kind, row in (("target", target), ("other", other))
               for name in ("won_share", "won_low_share", "won_high_share", "won_count", "base_count")}
    if min(target.base_count, other.base_count) < FEW:
        text = (f"Whether leads on target buy more cannot be told yet: {say.count(target.base_count)} of them and "
                f"{say.count(other.base_count)} others have been followed long enough, it takes {FEW} of each.")
        return [Sentence("target_against_other", text, **numbers)]
    here, there = (f"{say.share(row.won_share)} of {whom} buy{within} (95 % interval "
                   f"{say.range(row.won_low_share, row.won_high_share)}, {say.count(row.won_count)} of {say.count(row.base_count)})"
                   for row, whom, within in ((target, "the leads on target", _within(target, say)), (other, "the others", "")))
    if target.won_low_share > other.won_high_share:
        text = f"Leads on target buy more often: {here}, {there}. A lead on target is worth more of your time."
        verdict = "more"
    elif target.won_high_share < other.won_low_share:
        text = f"Leads on target buy less often than the others: {here}, {there}. Ask whether these are the right target segments."
        verdict = "less"
    else:
        text = f"Whether leads on target buy more often than the others cannot be told: {here}, {there}, and the intervals overlap."
        verdict = "cannot tell"
    return [Sentence("target_against_other", text, verdict=verdict, **numbers)]


def _within(row: pd.Series, say: Speaker) -> str:
    return f" within {say.days(row.equal_window_days)}" if is_available(row.equal_window_days) else ""


def _target_brings(target: pd.Series, other: pd.Series, say: Speaker) -> list[Sentence]:
    names = ("margin_per_lead_amount", "margin_per_lead_low_amount", "margin_per_lead_high_amount")
    if not all(is_available(row[name]) for row in (target, other) for name in names):
        return []
    here, there = (f"{say.money(row[names[0]])} (95 % interval {say.range(row[names[1]], row[names[2]], 'amount')}, "
                   f"{say.count(row.mature_leads_count)} leads)" for row in (target, other))
    overlap = target[names[1]] <= other[names[2]] and other[names[1]] <= target[names[2]]
    text = f"Within 12 months a lead on target brings {here} of margin, another one {there}"
    text += "; the intervals overlap, so the difference may be chance." if overlap else "."
    return [Sentence("target_margin", text, target_amount=target[names[0]], other_amount=other[names[0]], overlap=bool(overlap))]


def campaigns(process: Process) -> list[Sentence]:
    """The campaigns that bring most leads, and how many leads name none: sizes, no ranking of their worth."""
    if not process.has("leads", "campaign"):
        return []
    say, counts = Speaker(process), measures.lead_counts(process, by="campaign", per="month")
    sizes = counts.groupby("campaign")["leads_count"].sum().sort_values(ascending=False, kind="stable") if len(counts) else counts
    total, missing = int(sizes.sum()) if len(counts) else 0, int(sizes.get(MISSING, 0)) if len(counts) else 0
    if not total or missing == total:
        return [Sentence("campaigns", "No lead names a campaign, so campaigns cannot be compared.", leads_count=total)]
    named = sizes.drop(MISSING, errors="ignore")
    parts = [f"“{say.label(key)}” {say.share(float(ratio(count, total)))} ({say.count(count)})"
             for key, count in named.head(_NAMED).items()]
    without = rate(missing, total)
    many = f"the largest of {say.count(len(named))} campaigns: " if len(named) > 1 else "one campaign: "
    text = (f"Of {say.count(total)} leads, {many}{', '.join(parts)}. {say.share(without.share)} ({say.count(missing)}) name none."
            " These are sizes, not merits: which campaign is worth more they do not say.")
    return [Sentence("campaigns", text, leads_count=total, campaigns_count=len(named), without_count=missing,
                     without_share=without.share)]


# -- the cards -----------------------------------------------------------------------------------------------------------


def described(process: Process) -> list[Sentence]:
    """How far the described technology of lead generation is what is really done."""
    say, table = Speaker(process), measures.cards(process)
    loose = table[table["card"].isin([MISSING, OTHER])]
    known = table.drop(loose.index)
    hours, total = float(loose["hours"].sum()), float(table["hours"].sum())
    count = len(known)
    if not count:
        text = (f"No technology card of lead generation is described, so its {say.hours(total)} of work cannot be held against "
                "anything: describe who does what, by what means, in how many minutes.")
        return [Sentence("cards", text, cards_count=0, hours=total)]
    text = f"{say.count(count)} technology card{' of lead generation is' if count == 1 else 's of lead generation are'} described"
    if known["executions_count"].isna().all():
        return [Sentence("cards", f"{text}; whether the work is done that way cannot be told without a log of work that names the "
                         "cards.", cards_count=count)]
    idle, far = known[known["executions_count"] == 0], _far(known)
    text += ", and the log shows all of them." if idle.empty else f"; never executed: {_names(idle['card'], say)}."
    if hours > 0:
        text += (f" {say.hours(hours)} of work ({say.share(float(ratio(hours, total)))} of the stage) name no described card.")
    sentences = [Sentence("cards", text, cards_count=count, idle_count=len(idle), without_card_hours=hours)]
    if len(far):
        parts = [f"“{say.label(row.card)}” takes {say.number(row.actual_minutes)} minutes instead of "
                 f"{say.number(row.norm_minutes)} ({say.count(row.executions_count)} executions)" for row in far.itertuples()]
        sentences.append(Sentence("norms", f"More than a third off the norm: {'; '.join(parts)}. Correct the norm or the work.",
                                  far_count=len(far)))
    return sentences


def _far(known: pd.DataFrame) -> pd.DataFrame:
    """Cards whose actual minutes are more than a third off the norm, on enough executions to say so."""
    off = (known["actual_minutes"] - known["norm_minutes"]).abs() > FAR_PART * known["norm_minutes"]
    return known[off & (known["norm_minutes"] > 0) & (known["executions_count"] >= FEW)]


def _names(keys: pd.Series, say: Speaker) -> str:
    return ", ".join(f"“{say.label(key)}”" for key in keys)


# In the order in which a reader meets them.
