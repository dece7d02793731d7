"""The flow of leads in sentences: signals and noise, the level, the week."""

from __future__ import annotations

import pandas as pd

from funnel_lib import lead_flow as measures
from funnel_lib.answers.counted import complete_periods, counted_periods, leads, new_leads, period_name
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.language.formats import is_available
from funnel_lib.language.messages import marked
from funnel_lib.lead_flow.counts import finest_period
from funnel_lib.lead_flow.flow import level_runs, weekday_p_value
from funnel_lib.limits import MIN_PERIODS, OUTSIDE, RUN
from funnel_lib.periods import PERIODS, next_period_start
from funnel_lib.rates import ratio

# So uneven a week comes less than once in a hundred if all weekdays are alike.
CLEARLY = 0.01
_NAMED = 3
# Where leads are too rare by week they are told by the month or quarter.
_PERIODS = ("week", "month", "quarter")
_NO_SIGNAL = {"week": marked("No week was a signal."), "month": marked("No month was a signal."),
              "quarter": marked("No quarter was a signal."), "year": marked("No year was a signal.")}
# (is it the latest stretch, is it above the mean) → how the level moved.
_LEVEL = {
    (True, True): marked("The level has risen since {first}: {periods} in a row above the mean, {leads} a {period}. That is "
                         "no chance: find out what changed."),
    (True, False): marked("The level has fallen since {first}: {periods} in a row below the mean, {leads} a {period}. That is "
                          "no chance: find out what changed."),
    (False, True): marked("From {first} to {last} the level was higher: {periods} in a row above the mean, {leads} a "
                          "{period}. Since then it has not stayed on one side."),
    (False, False): marked("From {first} to {last} the level was lower: {periods} in a row below the mean, {leads} a "
                           "{period}. Since then it has not stayed on one side.")}


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
    text = say("A {period} brings {leads} on average ({periods}, {first} – {last}); anything from {low} to {high} is "
               "noise, and looking for its cause is lost time.",
               period=period_name(say, per), leads=new_leads(say, say.number(row.mean_count)),
               periods=complete_periods(say, len(known), per),
               first=say.date(known["period_start"].iloc[0]), last=_last_day(known["period_start"].iloc[-1], per, say),
               low=say.number(row.lower_limit_count), high=say.number(row.upper_limit_count))
    if not signals_count:
        text += " " + say(_NO_SIGNAL[per])
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
        text = say.plural(leads, "What of the ups and downs of the flow is a signal cannot be told: {leads} lead in {periods} is "
                                 "too few.",
                          "What of the ups and downs of the flow is a signal cannot be told: {leads} leads in {periods} are too "
                          "few.",
                          leads=say.count(leads), periods=complete_periods(say, count, per))
    elif count:
        text = say.plural(count, "What of the ups and downs of the flow is a signal cannot be told yet: only {periods} has been "
                                 "observed, it takes {needed}. Until then a good or a bad {period} is no reason to act.",
                          "What of the ups and downs of the flow is a signal cannot be told yet: only {periods} have been "
                          "observed, it takes {needed}. Until then a good or a bad {period} is no reason to act.",
                          periods=complete_periods(say, count, per), needed=say.count(MIN_PERIODS), period=period_name(say, per))
    else:
        text = say("What of the ups and downs of the flow is a signal cannot be told yet: no complete {period} has been observed, "
                   "it takes {needed}. Until then a good or a bad {period} is no reason to act.",
                   needed=say.count(MIN_PERIODS), period=period_name(say, per))
    return Sentence("flow_limits", text, **{f"{per}s_count": count})


def _outside(outside: pd.DataFrame, per: str, say: Speaker) -> list[Sentence]:
    """The latest periods in which something happened, with their dates."""
    if outside.empty:
        return []
    parts = [_one_outside(row, per, say) for row in outside.tail(_NAMED).itertuples()]
    numbers = {"periods": counted_periods(say, len(outside), per), "parts": "; ".join(parts)}
    if len(outside) > _NAMED:
        text = say("{periods} were signals, outside the limits: the latest are {parts}. Something happened then: find out what.",
                   **numbers)
    else:
        text = say.plural(len(outside), "{periods} was a signal, outside the limits: {parts}. Something happened then: find out "
                                        "what.",
                          "{periods} were signals, outside the limits: {parts}. Something happened then: find out what.", **numbers)
    return [Sentence("flow_outside", text, outside_count=len(outside), latest=outside["period_start"].iloc[-1],
                     latest_count=int(outside["leads_count"].iloc[-1]))]


def _one_outside(row: tuple, per: str, say: Speaker) -> str:
    numbers = {"period": period_name(say, per), "date": say.date(row.period_start), "leads": say.count(row.leads_count)}
    if row.leads_count > row.mean_count:
        return say.plural(row.leads_count, "the {period} from {date} with {leads} lead (above)",
                          "the {period} from {date} with {leads} leads (above)", **numbers)
    return say.plural(row.leads_count, "the {period} from {date} with {leads} lead (below)",
                      "the {period} from {date} with {leads} leads (below)", **numbers)


def _moved(runs: pd.DataFrame, per: str, say: Speaker) -> list[Sentence]:
    """Stretches on one side of the mean: the level itself has risen or fallen, now or for a while."""
    if runs.empty:
        return []
    row = runs.iloc[-1]
    mean = float(ratio(row.leads_count, row.periods_count))
    numbers = {"first": row["first"], "last": row["last"], "run_count": int(row.periods_count), "side": int(row.side),
               "run_mean_count": mean, "runs_count": len(runs), "is_latest": bool(row.is_latest)}
    text = say(_LEVEL[bool(row.is_latest), row.side > 0], first=say.date(row["first"]), leads=leads(say, say.number(mean)),
               period=period_name(say, per), periods=counted_periods(say, int(row.periods_count), per),
               **({} if row.is_latest else {"last": _last_day(row["last"], per, say)}))
    if len(runs) > 1:
        text += " " + say.plural(len(runs) - 1, "There was {count} more such stretch before.",
                                 "There were {count} more such stretches before.", count=say.count(len(runs) - 1))
    return [Sentence("flow_level", text, **numbers)]


def _lifted(known: pd.DataFrame, per: str, say: Speaker) -> list[Sentence]:
    """Runs that are there only because a surge, or a hole, moves the mean of all periods."""
    count = int((known["signal"] == RUN).sum())
    if not count:
        return []
    text = say.plural(count, "{periods} is marked as part of a run of eight, but only because those outside the limits move the "
                             "mean: without them the level has not moved.",
                      "{periods} are marked as runs of eight, but only because those outside the limits move the mean: without "
                      "them the level has not moved.",
                      periods=counted_periods(say, count, per))
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
        text = say.plural(weeks, "Whether leads prefer some weekdays cannot be told yet: {leads} leads came in {weeks} whole week.",
                          "Whether leads prefer some weekdays cannot be told yet: {leads} leads came in {weeks} whole weeks.",
                          leads=say.count(total), weeks=say.count(weeks))
        return [Sentence("weekdays", text, leads_count=total, weeks_count=weeks)]
    mean = float(ratio(total, profile["days_count"].sum()))
    high = profile[profile["leads_low_per_day"] > mean].sort_values("leads_per_day", ascending=False, kind="stable")
    low = profile[profile["leads_high_per_day"] < mean].sort_values("leads_per_day", kind="stable")
    if p_value >= CLEARLY or (high.empty and low.empty):
        return []
    numbers = {"p_value": p_value, "leads_count": total, "weeks_count": weeks, "mean_per_day": mean,
               "high_days": tuple(high["weekday"]), "low_days": tuple(low["weekday"])}
    parts = [say.plural(weeks, "Leads do not come evenly over the week ({leads} in {weeks} whole week, {mean} a day on average).",
                        "Leads do not come evenly over the week ({leads} in {weeks} whole weeks, {mean} a day on average).",
                        leads=say.count(total), weeks=say.count(weeks), mean=say.number(mean)),
             _uneven(high, low, say), say("Have people there to answer on the days on which leads come.")]
    return [Sentence("weekdays", " ".join(parts), **numbers)]


def _uneven(high: pd.DataFrame, low: pd.DataFrame, say: Speaker) -> str:
    if low.empty:
        return say("More than that: {high}.", high=_days(high, say))
    if high.empty:
        return say("Fewer: {low}.", low=_days(low, say))
    return say("More than that: {high}; fewer: {low}.", high=_days(high, say), low=_days(low, say))


def _days(days: pd.DataFrame, say: Speaker) -> str:
    """All the days that stand out, the furthest first and with its numbers."""
    row = days.iloc[0]
    first = say.plural(row.leads_count, "{day} ({mean} a day, 95 % interval {range}, {leads} lead)",
                       "{day} ({mean} a day, 95 % interval {range}, {leads} leads)", day=say.weekday(row.weekday),
                       mean=say.number(row.leads_per_day), leads=say.count(row.leads_count),
                       range=say.range(row.leads_low_per_day, row.leads_high_per_day, "number"))
    return ", ".join([first, *(say.weekday(key) for key in days["weekday"].iloc[1:])])
