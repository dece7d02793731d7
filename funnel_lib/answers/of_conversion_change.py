"""Exercise 2 answered by comparison: a CRM's figure and ours, cohorts, groups, periods, what a lost point costs."""

from __future__ import annotations

import pandas as pd

from funnel_lib import conversion as measures
from funnel_lib import improvement
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.language.formats import is_available
from funnel_lib.language.messages import marked
from funnel_lib.rates import FEW

# Column of the reconciliation → what moved the share.
_REASONS = {
    "returning_change_share": marked("{points} from customers who had bought before"),
    "not_leads_change_share": marked("{points} from entries that never were leads"),
    "left_out_change_share": marked("{points} from leads from before the records began"),
    "too_young_change_share": marked("{points} from leads that are still running out their time"),
    "late_entries_change_share": marked("{points} from entries after the window"),
    "skipped_change_share": marked("{points} from skipped steps")}
# What is compared → how its comparison ends.
_GUESSED = {
    "owner": marked("Comparing owners would be guessing: fewer than two of the {count} have {few} leads that were followed long "
                    "enough."),
    "channel": marked("Comparing channels would be guessing: fewer than two of the {count} have {few} leads that were followed "
                      "long enough.")}
_ALIKE = {
    "owner": marked("The owners cannot be ranked: their shares won lie between {low} and {high} ({leads} leads), and chance alone "
                    "makes such differences. Do not reward or blame anybody for them."),
    "channel": marked("The channels cannot be ranked: their shares won lie between {low} and {high} ({leads} leads), and chance "
                      "alone makes such differences. Do not move money between them for this reason.")}
_DIFFERENT = {
    "owner": marked("Beyond what chance makes, these owners differ from the others: {groups}."),
    "channel": marked("Beyond what chance makes, these channels differ from the others: {groups}.")}
_GROUP = {
    "above": marked("“{group}” above ({share} of {leads} leads won, {pooled} when drawn towards all, 95 % interval {range})"),
    "below": marked("“{group}” below ({share} of {leads} leads won, {pooled} when drawn towards all, 95 % interval {range})")}
_LEAST_POINTS = 0.0005
_NAMED = 3


def reconciliation(process: Process) -> list[Sentence]:
    """What a CRM would say of the last step, and of the step where it is furthest off, and why we say something else."""
    say, table = Speaker(process), measures.reconciliation(process)
    known = table[table["crm_share"].notna() & table["overall_share"].notna()]
    if known.empty:
        return [Sentence("reconciliation", say("No lead is old enough yet to set our figures beside those of a CRM."))]
    last, gaps = known.index[-1], (known["overall_share"] - known["crm_share"]).abs()
    shown = [last] if gaps.idxmax() == last else [last, gaps.idxmax()]
    return [_reconciled(process, known.loc[place]) for place in shown]


def _reconciled(process: Process, row: pd.Series) -> Sentence:
    say = Speaker(process)
    changes = {name: row[name] for name in _REASONS if abs(row[name]) >= _LEAST_POINTS}
    order = sorted(changes, key=lambda name: -abs(changes[name]))
    parts = [say(_REASONS[name], points=_points(say, changes[name])) for name in order]
    numbers = {"step": say.label(row.step), "crm_share": say.share(row.crm_share), "crm": say.count(row.crm_count),
               "entries": say.count(row.crm_leads_count), "share": say.share(row.overall_share),
               "reached": say.count(row.reached_count), "leads": say.count(row.leads_count)}
    text = (say("“{step}”: a CRM would say {crm_share} ({crm} of {entries} entries), we say {share} ({reached} of {leads} leads): "
                "{reasons} (percentage points).", reasons=", ".join(parts), **numbers) if parts else
            say("“{step}”: a CRM would say {crm_share} ({crm} of {entries} entries), we say {share} ({reached} of {leads} leads); "
                "no rule of counting makes a difference here.", **numbers))
    return Sentence("reconciliation", text, step=row.step, crm_share=row.crm_share, overall_share=row.overall_share, **changes)


def cohorts(process: Process) -> list[Sentence]:
    """Where the youngest cohort is heading, beside the last one that is known to the end."""
    say, table = Speaker(process), measures.cohort_triangle(process)
    if table.empty:
        return []
    ends = table[table["age"] == table["age"].max()]
    done, young = ends[~ends["projected"]], ends[ends["projected"] & (ends["leads_count"] >= FEW)]
    if young.empty:
        return []
    row = young.iloc[-1]
    numbers = {"cohort": say.date(row.cohort), "share": say.share(row.won_share), "days": say.days(row.age_days),
               "range": say.range(row.won_low_share, row.won_high_share), "won": say.count(row.won_count),
               "leads": say.count(row.leads_count)}
    if len(done):
        known = done.iloc[-1]
        text = say("Of the leads created from {cohort} on, {share} are expected to have bought after {days} (95 % interval "
                   "{range}, {won} of {leads} so far; this is a projection); of the last month followed to the end, {known}, "
                   "{known_share} have ({known_won} of {known_leads}).", known=say.date(known.cohort),
                   known_share=say.share(known.won_share),
                   known_won=say.count(known.won_count), known_leads=say.count(known.leads_count), **numbers)
    else:
        text = say("Of the leads created from {cohort} on, {share} are expected to have bought after {days} (95 % interval "
                   "{range}, {won} of {leads} so far; this is a projection).", **numbers)
    return [Sentence("cohorts", text, cohort=row.cohort, won_share=row.won_share, low_share=row.won_low_share,
                     high_share=row.won_high_share, won_count=row.won_count, leads_count=row.leads_count)]


def owners(process: Process) -> list[Sentence]:
    """Whether any owner differs from the others beyond chance; nothing where the leads name no owner."""
    return _compared(process, "owner") if process.has("leads", "owner") else []


def channels(process: Process) -> list[Sentence]:
    """Whether any channel differs from the others beyond chance; nothing where the leads name no channel."""
    return _compared(process, "channel") if process.has("leads", "channel") else []


def _compared(process: Process, by: str) -> list[Sentence]:
    say, table = Speaker(process), measures.comparison(process, by)
    if len(table) < 2:
        return []
    tested, few = table[~table["few"]], table[table["few"]]
    different = table[table["differs"]]
    if len(tested) < 2:
        text = say(_GUESSED[by], count=say.count(len(table)), few=say.count(FEW))
    elif different.empty:
        text = say(_ALIKE[by], low=say.share(tested["won_share"].min()), high=say.share(tested["won_share"].max()),
                   leads=say.count(tested["leads_count"].sum()))
    else:
        groups = [say(_GROUP[row.verdict], group=say.label(row[0]), share=say.share(row.won_share),
                      leads=say.count(row.leads_count), pooled=say.share(row.pooled_share),
                      range=say.range(row.pooled_low_share, row.pooled_high_share))
                  for row in different.head(2 * _NAMED).itertuples(index=False)]
        text = say(_DIFFERENT[by], groups="; ".join(groups))
    said = [Sentence(f"comparison_{by}", text, groups_count=len(table), differing_count=len(different),
                     common_share=table["common_share"].iloc[0])]
    return said + _lucky(say, few, table, by)


def _lucky(say: Speaker, few: pd.DataFrame, table: pd.DataFrame, by: str) -> list[Sentence]:
    """The group that only looks best (it leads the table of raw shares, on too few leads)."""
    leading = table[table["won_share"] == table["won_share"].max()]
    leading = leading[leading["few"] & (leading["won_count"] > 1)]
    if leading.empty or len(few) == len(table):
        return []
    row = leading.sort_values("leads_count").iloc[-1]
    text = say.plural(row.leads_count, "“{group}” looks best with {share}, but on {leads} lead only ({won} won, 95 % interval "
                                       "{range}): that is too few to tell luck from skill. Until there are more, expect {pooled}.",
                      "“{group}” looks best with {share}, but on {leads} leads only ({won} won, 95 % interval {range}): that is "
                      "too few to tell luck from skill. Until there are more, expect {pooled}.",
                      group=say.label(row[by]), share=say.share(row.won_share), leads=say.count(row.leads_count),
                      won=say.count(row.won_count), range=say.range(row.won_low_share, row.won_high_share),
                      pooled=say.share(row.pooled_share))
    return [Sentence(f"lucky_{by}", text, group=row[by], won_share=row.won_share, pooled_share=row.pooled_share,
                     leads_count=row.leads_count, won_count=row.won_count)]


def change(process: Process) -> list[Sentence]:
    """What moved the share won between the last two periods that can be compared: the mix of channels or the rates."""
    by = "channel" if process.has("leads", "channel") else "step"
    say, table = Speaker(process), measures.change_decomposition(process, by)
    row = table.iloc[0]
    numbers = {"before_from": say.date(row.before_from), "after_from": say.date(row.after_from),
               "after": say.share(row.overall_after_share), "days": say.days(row.equal_window_days),
               "change": _points(say, row.overall_change_share), "low": _points(say, row.overall_change_low_share),
               "high": _points(say, row.overall_change_high_share)}
    text = _moved(say, row, numbers)
    within_chance = row.overall_change_low_share <= 0 <= row.overall_change_high_share
    if within_chance:
        text += " " + say("As a whole this is within what chance makes.")
    sums = table.groupby("kind")["change_share"].sum()
    said = [Sentence("change", text, change_share=row.overall_change_share, low_share=row.overall_change_low_share,
                     high_share=row.overall_change_high_share, within_chance=bool(within_chance))]
    some_moved = table["change_share"].abs().max() >= _LEAST_POINTS
    return said + (_mix_and_rates(say, table, sums) if by == "channel" and some_moved else [])


def _moved(say: Speaker, row: pd.Series, numbers: dict[str, str]) -> str:
    if abs(row.overall_change_share) < _LEAST_POINTS:
        return say("From the quarter that began on {before_from} to the one of {after_from} the share won stayed at {after} (each "
                   "lead followed for {days}; change {change} points, 95 % interval {low} to {high}).", **numbers)
    numbers["before"] = say.share(row.overall_before_share)
    if row.overall_change_share < 0:
        return say("From the quarter that began on {before_from} to the one of {after_from} the share won fell from {before} to "
                   "{after} (each lead followed for {days}; change {change} points, 95 % interval {low} to {high}).", **numbers)
    return say("From the quarter that began on {before_from} to the one of {after_from} the share won rose from {before} to "
               "{after} (each lead followed for {days}; change {change} points, 95 % interval {low} to {high}).", **numbers)


def _mix_and_rates(say: Speaker, table: pd.DataFrame, sums: pd.Series) -> list[Sentence]:
    mix, rates = float(sums["mix"]), float(sums["rate"])
    groups = table[table["kind"] == "mix"]
    moved = groups.loc[(groups["after_share"] - groups["before_share"]).abs().idxmax()]
    text = say("The mix of channels explains {mix} points of that (the part of “{channel}” went from {before} to {after} of the "
               "leads), the channels' own rates {rates}.", mix=_points(say, mix), channel=say.label(moved.part),
               before=say.share(moved.before_share), after=say.share(moved.after_share), rates=_points(say, rates))
    own = table[(table["kind"] == "rate") & (table["before_whole_count"] > 0) & (table["after_whole_count"] > 0)]
    up = bool((own["change_share"] > 0).all())
    if len(own) > 1 and up and mix + rates < 0:
        text += " " + say("Every single channel converts better than before: look at where the leads come from, not at how they "
                          "are handled.")
    elif len(own) > 1 and bool((own["change_share"] < 0).all()) and mix + rates > 0:
        text += " " + say("Every single channel converts worse than before: the better mix hides it.")
    return [Sentence("mix_and_rates", text, mix_change_share=mix, rate_change_share=rates, channel=moved.part,
                     before_share=moved.before_share, after_share=moved.after_share)]


def trend(process: Process) -> list[Sentence]:
    """Which steps' months are signals, and which are noise."""
    say, table = Speaker(process), measures.step_trend(process)
    table = table[table["signal"] != ""]
    if table.empty:
        text = say("Whether the months of a step tell something cannot be said yet: it takes 12 complete months whose leads were "
                   "followed long enough.")
        return [Sentence("step_trend", text)]
    signals = table[table["signal"] != "noise"]
    months = int(table.groupby("step").size().max())
    if signals.empty:
        text = say.plural(months, "Month by month all steps stay within their limits ({months} month): the ups and downs are "
                                  "noise, and looking for their causes would be lost time.",
                          "Month by month all steps stay within their limits ({months} months): the ups and downs are noise, and "
                          "looking for their causes would be lost time.", months=say.count(months))
        return [Sentence("step_trend", text, months_count=months, signals_count=0)]
    parts = [_months(say, step, part, int((table["step"] == step).sum())) for step, part in signals.groupby("step", sort=False)]
    text = say("Months that tell something (outside the limits, or eight in a row on one side): {steps}. All the rest is noise.",
               steps="; ".join(parts))
    return [Sentence("step_trend", text, months_count=months, signals_count=len(signals))]


def _months(say: Speaker, step: str, signals: pd.DataFrame, months: int) -> str:
    return say.plural(months, "“{step}” {signals} of {months} month, the last one {date}",
                      "“{step}” {signals} of {months} months, the last one {date}", step=say.label(step),
                      signals=say.count(len(signals)), months=say.count(months), date=say.date(signals["period_start"].max()))


def price_of_point(process: Process) -> list[Sentence]:
    """At which step a lost percentage point costs the most."""
    say, table = Speaker(process), improvement.price_of_point(process)
    table = table[table["point_amount"].map(is_available)].sort_values("point_amount", ascending=False)
    if table.empty:
        return []
    row = table.iloc[0]
    numbers = {"step": say.label(row.step), "money": say.money(row.point_amount),
               "range": say.range(row.point_low_amount, row.point_high_amount, "amount")}
    others = list(table.iloc[1:_NAMED].itertuples())
    for name, other in zip(("second", "third"), others, strict=False):
        numbers |= {f"{name}_step": say.label(other.step), f"{name}_money": say.money(other.point_amount)}
    # As many steps as there are, the dearest first.
    text = say((marked("A percentage point lost at “{step}” costs the most: {money} of margin a year (95 % interval {range})."),
                marked("A percentage point lost at “{step}” costs the most: {money} of margin a year (95 % interval {range}), "
                       "against {second_money} at “{second_step}”."),
                marked("A percentage point lost at “{step}” costs the most: {money} of margin a year (95 % interval {range}), "
                       "against {second_money} at “{second_step}” and {third_money} at “{third_step}”."))[len(others)], **numbers)
    return [Sentence("price_of_point", text, step=row.step, amount=row.point_amount, low_amount=row.point_low_amount,
                     high_amount=row.point_high_amount)]


def _points(say: Speaker, change: float) -> str:
    """A difference of shares in percentage points with its sign."""
    return ("−" if change < 0 else "+") + say.share(abs(change)).removesuffix("%").rstrip()


# In the order in which a reader meets them.
TOPICS = (reconciliation, cohorts, price_of_point, owners, channels, change, trend)
