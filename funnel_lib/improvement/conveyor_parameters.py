"""The parameters of the weekly conveyor, estimated from the tables and drawn from their sampling distributions."""

from __future__ import annotations

from dataclasses import replace

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib import conversion
from funnel_lib.company import Process
from funnel_lib.customers import REFERRED, money_rows, new_customers, origin_of
from funnel_lib.engine import collect, flag, with_groups
from funnel_lib.errors import MeasureError
from funnel_lib.improvement.chain import Chain
from funnel_lib.improvement.conveyor import REPEAT, Conveyor, Stop
from funnel_lib.improvement.conveyor_hours import Hours, hours_of, no_hours
from funnel_lib.improvement.conveyor_state import (
    MIN_AT_RISK,
    Stays,
    order_money,
    order_stays,
    orders_before,
    reached_between,
    step_stays,
    visits,
    weekly,
)
from funnel_lib.improvement.parameters import SEED, chain_of
from funnel_lib.journeys import WON, lead_states
from funnel_lib.language.messages import message
from funnel_lib.last_year import WEEK_DAYS, WEEKS, complete_weeks
from funnel_lib.new_leads import new_leads
from funnel_lib.periods import period_starts
from funnel_lib.rates import ratio
from funnel_lib.survival import Curve

DRAWS = 10_000
# Two weeks leave any spread possible; beyond this many times the mean nothing changes any more.
MOST_SPREAD = 10
HALF = 0.5


def conveyor_of(process: Process, start: pd.Timestamp | None = None, weeks: int = WEEKS, draws: int = DRAWS) -> Conveyor:
    """The weekly model of a process from the state at `start` (None: the end of observation), estimated once.

    Rates, lags and money per order are those of everything observed, the flow and the hours those of the last complete weeks (at
    most 52). Shares are drawn from beta distributions as wide as their printed intervals, the flow with the overdispersion of its
    weeks, both its mean and its spread as uncertain as so few weeks leave them, money per order from a normal, counts and hours
    from gamma distributions.
    Raises `MeasureError` without leads, steps and movement through them, or two complete weeks with leads.
    """
    start = process.needs_as_of() if start is None else start
    return process.remembered(("conveyor", start, weeks, draws), lambda: _Estimates(process, start, weeks, draws).conveyor())


def missing_parts(process: Process) -> list[str]:
    """What the weekly model leaves out for want of data: of `orders`, `margin`, `work`, `referrals`, `times`."""
    without = [] if process.has("orders") else ["orders"]
    if process.has("orders") and not _knows_margin(process):
        without.append("margin")
    without += [] if process.has("work") else ["work"]
    without += [] if _knows_referrals(process) else ["referrals"]
    untimed = any(not stays.timed_share > 0 for stays in step_stays(process, process.needs_as_of()))
    return [*without, *(["times"] if untimed else [])]


def _knows_margin(process: Process) -> bool:
    money = order_money(process)
    return bool(money["known"].sum() >= money["n"].sum() > 0)


def _knows_referrals(process: Process) -> bool:
    return process.has("orders") and (process.has("leads", "referred_by") or bool(process.settings.referral_channels))


class _Estimates:
    """One estimation: every draw comes from one seeded generator, in one order."""

    def __init__(self, process: Process, start: pd.Timestamp, weeks: int, draws: int) -> None:
        self.process, self.start, self.horizon, self.draws = process, start, weeks, draws
        self.random = np.random.default_rng(SEED)
        self.weeks = complete_weeks(process)
        self.has_orders = process.has("orders")
        self.leads = self._weekly_leads()
        if len(self.weeks) < 2 or not self.leads["n"].sum() > 0:
            raise MeasureError(message("{process}: needs new leads in at least two complete weeks to run the weekly model",
                                       process=process.name))

    def conveyor(self) -> Conveyor:
        process = self.process
        flow, levels = self._flow()
        steps = self._steps()
        orders = [self._stop(stays, f"order {number + 2}") for number, stays in enumerate(self._order_stays())]
        margin, amount, square = self._money()
        referrals, past_orders = self._referrals()
        hours = hours_of(process, self.weeks) if process.has("work") else no_hours()
        need, card_need, fixed = self._needs(hours)
        chain, taken = self._chain()
        target = bool(chain is not None and chain.target_gain is not None)
        return Conveyor(
            self.horizon, flow, levels, steps, orders, np.full(self.draws, self._buyers()), *self._without_leads(), margin, amount,
            square, referrals, self._referral_share(), past_orders,
            {name: chain.channel_share[name][taken] for name in flow if chain and name in chain.channel_share}
            if chain and set(flow) <= set(chain.channel_share) else {},
            {name: share[taken] for name, share in chain.target_share.items()} if target else {},
            chain.target_gain[taken] if target else None, need, card_need, fixed, hours.capacity, hours.spread)

    # -- leads ---------------------------------------------------------------------------------------------------------------

    def _weekly_leads(self) -> pd.DataFrame:
        """New leads of the complete weeks: `week`, `channel`, `referred` (1 or 0), `n`."""
        end = self.weeks[-1] + pd.Timedelta(days=WEEK_DAYS)
        created = nw.col("created_at")
        leads = new_leads(self.process).filter((created >= self.weeks[0].to_pydatetime()) & (created < end.to_pydatetime()))
        known = _knows_referrals(self.process)
        leads = leads.with_columns(referred=flag(origin_of(self.process) == REFERRED) if known else nw.lit(0),
                                   day=created.dt.truncate("1d"))
        counts = collect(with_groups(leads, ["channel"]).group_by("channel", "referred", "day").agg(nw.len().alias("n")))
        counts["week"] = period_starts(counts["day"], "week")
        return counts.groupby(["week", "channel", "referred"], as_index=False)["n"].sum()

    def _flow(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Leads a week per channel, and by how much each week differs from them."""
        own = self.leads[self.leads["referred"] == 0]
        by_week = own.groupby("week")["n"].sum().reindex(self.weeks, fill_value=0.0).to_numpy(dtype=float)
        count, mean = len(by_week), max(float(by_week.mean()), float(ratio(HALF, len(by_week))))
        observed = max(float(by_week.var(ddof=1)), mean)
        variance = np.asarray(ratio(observed * (count - 1), self.random.chisquare(count - 1, self.draws)))
        variance = np.clip(variance, mean, MOST_SPREAD**2 * mean**2 + mean)
        total = self._gamma(mean, ratio(variance, count))
        beyond = np.maximum(ratio(variance - mean, mean**2), 1e-9)
        levels = self.random.gamma(ratio(1.0, beyond), beyond, (self.horizon, self.draws))
        by_channel = self.leads.groupby("channel")["n"].sum()
        shares = own.groupby("channel")["n"].sum().reindex(by_channel.index, fill_value=0.0)
        drawn = self.random.dirichlet(np.maximum(shares.to_numpy(), 1e-6), self.draws).T
        return {name: total * drawn[number] for number, name in enumerate(shares.index)}, levels

    def _gamma(self, mean: float, variance: np.ndarray) -> np.ndarray:
        return self.random.gamma(np.asarray(ratio(mean**2, variance)), np.asarray(ratio(variance, mean)))

    def _chain(self) -> tuple[Chain | None, np.ndarray]:
        """The chain of rates, whose draws of the channels' quality are taken, where it can be made."""
        try:
            chain = chain_of(self.process)
        except MeasureError:
            return None, np.zeros(0, dtype=int)
        return chain, self.random.integers(1, len(next(iter(chain.channel_share.values()))), self.draws)

    # -- stops ---------------------------------------------------------------------------------------------------------------

    def _steps(self) -> list[Stop]:
        keys = [step.key for step in self.process.steps if not step.optional]
        rates = conversion.step_rates(self.process).set_index("step")
        stops = []
        for key, stays in zip(keys, step_stays(self.process, self.start), strict=True):
            if stays.timed_share > 0:
                stops.append(self._stop(stays, key))
            else:
                stops.append(self._untimed_stop(key, *rates.loc[key, ["reached_count", "base_count"]]))
        return stops

    def _untimed_stop(self, key: str, part: float, whole: float) -> Stop:
        """A step whose times are not known is passed in the week of arrival."""
        nothing = np.zeros(self.horizon)
        return Stop(key, self.random.beta(part + HALF, whole - part + HALF, self.draws), np.ones(1), np.ones(1), 0.0, nothing,
                    nothing, float(np.nan_to_num(ratio(part, whole))))

    def _stop(self, stays: Stays, key: str) -> Stop:
        curve, horizon = stays.curve, stays.horizon
        came, left = curve.event_share[:horizon + 1], curve.competing_share[:horizon + 1]
        share, error = float(came[-1]), float(curve.standard_error[horizon])
        size = ratio(share * (1 - share), error**2) if error > 0 else _followed(curve, horizon)
        rate = self.random.beta(share * size + HALF, (1 - share) * size + HALF, self.draws)
        moves, leaves = (self._from_start(stays, cumulative) for cumulative in (came, left))
        return Stop(key, rate, ratio(came, share) if share > 0 else np.ones(1),
                    np.clip(ratio(left, 1 - share), 0, 1) if share < 1 else np.zeros(1), float(stays.start_counts.sum()), moves,
                    leaves, share)

    def _from_start(self, stays: Stays, cumulative: np.ndarray) -> np.ndarray:
        """Expected to go in each week, of those who stand here at the start: by what is left of the curve at their age."""
        ends = np.minimum(stays.start_days[:, None] + WEEK_DAYS * np.arange(self.horizon + 1), stays.horizon).astype(int)
        gained = np.diff(cumulative[ends], axis=1) if len(ends) else np.zeros((0, self.horizon))
        still = stays.curve.at(stays.start_days, "still_share")
        chance = np.nan_to_num(ratio(gained, still[:, None]))
        return (chance * stays.start_counts[:, None]).sum(axis=0)

    def _order_stays(self) -> list[Stays]:
        found: list[Stays] = []
        for stays in order_stays(self.process, self.start) if self.has_orders else []:
            # After an order that hardly anybody has reached yet customers are taken to go on as after the one before it.
            few = stays.curve.at_risk_count[0] < MIN_AT_RISK
            found.append(replace(stays, curve=found[-1].curve) if few and found else stays)
        return found

    # -- customers -----------------------------------------------------------------------------------------------------------

    def _buyers(self) -> float:
        """Customers per won lead."""
        if not self.has_orders:
            return 1.0
        wins = lead_states(self.process).with_columns(won=flag(nw.col("state") == WON)).select(nw.col("won").sum())
        people = new_customers(self.process).filter(~nw.col("lead_id").is_null()).select(nw.len().alias("n"))
        return float(np.nan_to_num(ratio(collect(people)["n"].iloc[0], collect(wins)["won"].iloc[0]), nan=1.0))

    def _without_leads(self) -> tuple[np.ndarray, np.ndarray]:
        """A week's new customers without a lead, and orders of those known from before who had not been seen yet."""
        if not self.has_orders:
            return np.zeros(self.draws), np.zeros(self.draws)
        walk_ins = new_customers(self.process).filter(nw.col("lead_id").is_null())
        again = visits(self.process).filter((nw.col("is_older") == 1) & (nw.col("is_first") == 1))
        return self._per_week(walk_ins, "began_at"), self._per_week(again, "at")

    def _per_week(self, rows: nw.LazyFrame, time: str) -> np.ndarray:
        count = weekly(self.process, rows, time, self.weeks).sum()
        return ratio(self.random.gamma(count, 1.0, self.draws), len(self.weeks)) if count else np.zeros(self.draws)

    def _money(self) -> tuple[list[np.ndarray], list[float], list[float]]:
        """Per number of an order: mean margin (drawn), mean amount, mean square of the margin."""
        if not self.has_orders or not _knows_margin(self.process):
            return [np.zeros(self.draws)] * (1 + len(self._order_stays())), [], [0.0] * (1 + len(self._order_stays()))
        money = order_money(self.process)
        after_refunds = collect(money_rows(self.process).select(nw.col("margin").sum()))["margin"].iloc[0]
        factor = float(np.nan_to_num(ratio(after_refunds, money["margin"].sum() * self.process.minor_units), nan=1.0))
        margin, amount, square = [], [], []
        for number in [*money.index, money.index[-1]]:
            # A number that hardly anybody has reached is taken to bring what all orders bring.
            sums = money.loc[number] if money.loc[number, "n"] > 1 else money.sum()
            mean, mean_square = ratio(sums["margin"], sums["n"]), ratio(sums["square"], sums["n"])
            error = np.sqrt(max(ratio(mean_square - mean**2, max(sums["n"], 1)), 0.0))
            margin.append((mean + error * self.random.standard_normal(self.draws)) * factor)
            amount.append(float(ratio(sums["amount"], sums["n"])))
            square.append(float(mean_square) * factor**2)
        return margin, amount, square

    # -- recommendations -----------------------------------------------------------------------------------------------------

    def _referrals(self) -> tuple[np.ndarray, np.ndarray]:
        """Leads recommended per order of the 52 weeks before, and the orders that the start still has behind it."""
        if not _knows_referrals(self.process):
            return np.zeros(self.draws), np.zeros(WEEKS)
        before = orders_before(self.process, self.weeks[0])
        every = np.concatenate([before, weekly(self.process, visits(self.process), "at", self.weeks)])
        exposure = sum(every[week:week + WEEKS].sum() for week in range(len(self.weeks)))
        referred = self.leads.loc[self.leads["referred"] == 1, "n"].sum()
        drawn = ratio(self.random.gamma(referred + HALF, 1.0, self.draws) * WEEKS, exposure)
        return np.nan_to_num(drawn) if referred else np.zeros(self.draws), orders_before(self.process, self.start)

    def _referral_share(self) -> float:
        return float(ratio(self.leads.loc[self.leads["referred"] == 1, "n"].sum(), self.leads["n"].sum()))

    # -- hours ---------------------------------------------------------------------------------------------------------------

    def _needs(self, hours: Hours) -> tuple[dict, dict, dict]:
        """Hours per piece of work by place and role, drawn: in all, and by card; and what roles do in any week."""
        if not hours.total:
            return {}, {}, {}
        pieces = dict(enumerate(reached_between(self.process, self.weeks)))
        if self.has_orders:
            again = visits(self.process).filter(nw.col("is_first") == 0)
            pieces[REPEAT] = float(weekly(self.process, again, "at", self.weeks).sum())
        factors = {role: self._factor(hours.spread[role], total) for role, total in hours.total.items()}
        fixed = {role: each * factors[role] for role, each in hours.fixed.items()}
        need: dict = {}
        cards: dict = {}
        for card, places in hours.by_card.items():
            for place, roles in places.items():
                for role, total in roles.items():
                    if not pieces[place] > 0:
                        fixed[role] = fixed.get(role, 0.0) + ratio(total, len(self.weeks)) * factors[role]
                        continue
                    each = ratio(total, pieces[place]) * factors[role]
                    cards.setdefault(card, {}).setdefault(place, {})[role] = each
                    need.setdefault(place, {})[role] = need.get(place, {}).get(role, 0.0) + each
        return need, cards, fixed

    def _factor(self, spread: float, total: float) -> np.ndarray:
        variance = float(np.nan_to_num(ratio(spread, total)))
        return self._gamma(1.0, np.full(self.draws, variance)) if variance > 1e-12 else np.ones(self.draws)


def _followed(curve: Curve, horizon: int) -> float:
    """How many cases stand behind nobody or everybody so far: each decided one, of the others the part of the time up to the
    horizon for which they have been followed."""
    decided = (curve.event_count + curve.competing_count)[:horizon + 1]
    open_still = curve.at_risk_count[:horizon + 1] - decided[::-1].cumsum()[::-1]
    return float(decided.sum() + (open_still[1:].mean() if horizon else open_still[0]))
