"""Exercise 2 answered by comparison: a CRM's figure and ours, cohorts, groups, periods, what a lost point costs."""

from __future__ import annotations

import pandas as pd

from funnel_lib import conversion as measures
from funnel_lib import improvement
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.language.formats import is_available
from funnel_lib.rates import FEW

# Column of the reconciliation → what moved the share, in words.
_REASONS = {"returning_change_share": "from customers who had bought before", "not_leads_change_share":
            "from entries that never were leads", "left_out_change_share": "from leads from before the records began",
            "too_young_change_share": "from leads that are still running out their time",
            "late_entries_change_share": "from entries after the window", "skipped_change_share": "from skipped steps"}
_LEAST_POINTS = 0.0005
_NAMED = 3


def reconciliation(process: Process) -> list[Sentence]:
    """What a CRM would say of the last step, and of the step where it is furthest off, and why we say something else."""
    table = measures.reconciliation(process)
    known = table[table["crm_share"].notna() & table["overall_share"].notna()]
    if known.empty:
        return [Sentence("reconciliation", "No lead is old enough yet to set our figures beside those of a CRM.")]
    last, gaps = known.index[-1], (known["overall_share"] - known["crm_share"]).abs()
    shown = [last] if gaps.idxmax() == last else [last, gaps.idxmax()]
    return [_reconciled(process, known.loc[place]) for place in shown]


def _reconciled(process: Process, row: pd.Series) -> Sentence:
    say = Speaker(process)
    changes = {name: row[name] for name in _REASONS if abs(row[name]) >= _LEAST_POINTS}
    order = sorted(changes, key=lambda name: -abs(changes[name]))
    parts = [f"{_points(say, changes[name])} {_REASONS[name]}" for name in order]
    text = (f"“{say.label(row.step)}”: a CRM would say {say.share(row.crm_share)} ({say.count(row.crm_count)} of "
            f"{say.count(row.crm_leads_count)} entries), we say {say.share(row.overall_share)} "
            f"({say.count(row.reached_count)} of {say.count(row.leads_count)} leads)")
    text += f": {', '.join(parts)} (percentage points)." if parts else "; no rule of counting makes a difference here."
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
    text = (f"Of the leads created from {say.date(row.cohort)} on, {say.share(row.won_share)} are expected to have bought after "
            f"{say.days(row.age_days)} (95 % interval {say.range(row.won_low_share, row.won_high_share)}, "
            f"{say.count(row.won_count)} of {say.count(row.leads_count)} so far; this is a projection)")
    if len(done):
        known = done.iloc[-1]
        text += (f"; of the last month followed to the end, {say.date(known.cohort)}, {say.share(known.won_share)} have "
                 f"({say.count(known.won_count)} of {say.count(known.leads_count)})")
    return [Sentence("cohorts", text + ".", cohort=row.cohort, won_share=row.won_share, low_share=row.won_low_share,
                     high_share=row.won_high_share, won_count=row.won_count, leads_count=row.leads_count)]


def owners(process: Process) -> list[Sentence]:
    """Whether any owner differs from the others beyond chance; nothing where the leads name no owner."""
    return _compared(process, "owner", "owners") if process.has("leads", "owner") else []


def channels(process: Process) -> list[Sentence]:
    """Whether any channel differs from the others beyond chance; nothing where the leads name no channel."""
    return _compared(process, "channel", "channels") if process.has("leads", "channel") else []


def _compared(process: Process, by: str, words: str) -> list[Sentence]:
    say, table = Speaker(process), measures.comparison(process, by)
    if len(table) < 2:
        return []
    tested, few = table[~table["few"]], table[table["few"]]
    different = table[table["differs"]]
    if len(tested) < 2:
        text = (f"Comparing {words} would be guessing: fewer than two of the {say.count(len(table))} have {FEW} leads that were "
                "followed long enough.")
    elif different.empty:
        text = (f"The {words} cannot be ranked: their shares won lie between {say.share(tested['won_share'].min())} and "
                f"{say.share(tested['won_share'].max())} ({say.count(tested['leads_count'].sum())} leads), and chance alone makes "
                "such differences. Do not reward or blame anybody for them.")
        if by != "owner":
            text = text.replace(" Do not reward or blame anybody for them.", " Do not move money between them for this reason.")
    else:
        text = f"Beyond what chance makes, these {words} differ from the others: " + "; ".join(
            f"“{say.label(row[0])}” {row.verdict} ({say.share(row.won_share)} of {say.count(row.leads_count)} leads won, "
            f"{say.share(row.pooled_share)} when drawn towards all, 95 % interval "
            f"{say.range(row.pooled_low_share, row.pooled_high_share)})"
            for row in different.head(2 * _NAMED).itertuples(index=False)) + "."
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
    text = (f"“{say.label(row[by])}” looks best with {say.share(row.won_share)}, but on {say.count(row.leads_count)} leads only "
            f"({say.count(row.won_count)} won, 95 % interval {say.range(row.won_low_share, row.won_high_share)}): that is too few "
            f"to tell luck from skill. Until there are more, expect {say.share(row.pooled_share)}.")
    return [Sentence(f"lucky_{by}", text, group=row[by], won_share=row.won_share, pooled_share=row.pooled_share,
                     leads_count=row.leads_count, won_count=row.won_count)]


def change(process: Process) -> list[Sentence]:
    """What moved the share won between the last two periods that can be compared: the mix of channels or the rates."""
    by = "channel" if process.has("leads", "channel") else "step"
    say, table = Speaker(process), measures.change_decomposition(process, by)
    row = table.iloc[0]
    moved = f"{'fell' if row.overall_change_share < 0 else 'rose'} from {say.share(row.overall_before_share)} to"
    if abs(row.overall_change_share) < _LEAST_POINTS:
        moved = "stayed at"
    text = (f"From the quarter that began on {say.date(row.before_from)} to the one of {say.date(row.after_from)} the share won "
            f"{moved} {say.share(row.overall_after_share)} (each lead followed for {say.days(row.equal_window_days)}; change "
            f"{_points(say, row.overall_change_share)} points, 95 % interval {_points(say, row.overall_change_low_share)} to "
            f"{_points(say, row.overall_change_high_share)})")
    within_chance = row.overall_change_low_share <= 0 <= row.overall_change_high_share
    text += ". As a whole this is within what chance makes." if within_chance else "."
    sums = table.groupby("kind")["change_share"].sum()
    said = [Sentence("change", text, change_share=row.overall_change_share, low_share=row.overall_change_low_share,
                     high_share=row.overall_change_high_share, within_chance=bool(within_chance))]
    some_moved = table["change_share"].abs().max() >= _LEAST_POINTS
    return said + (_mix_and_rates(say, table, sums) if by == "channel" and some_moved else [])


def _mix_and_rates(say: Speaker, table: pd.DataFrame, sums: pd.Series) -> list[Sentence]:
    mix, rates = float(sums["mix"]), float(sums["rate"])
    groups = table[table["kind"] == "mix"]
    moved = groups.loc[(groups["after_share"] - groups["before_share"]).abs().idxmax()]
    text = (f"The mix of channels explains {_points(say, mix)} points of that (the part of “{say.label(moved.part)}” went from "
            f"{say.share(moved.before_share)} to {say.share(moved.after_share)} of the leads), the channels' own rates "
            f"{_points(say, rates)}.")
    own = table[(table["kind"] == "rate") & (table["before_whole_count"] > 0) & (table["after_whole_count"] > 0)]
    up = bool((own["change_share"] > 0).all())
    if len(own) > 1 and up and mix + rates < 0:
        text += " Every single channel converts better than before: look at where the leads come from, not at how they are handled."
    elif len(own) > 1 and bool((own["change_share"] < 0).all()) and mix + rates > 0:
        text += " Every single channel converts worse than before: the better mix hides it."
    return [Sentence("mix_and_rates", text, mix_change_share=mix, rate_change_share=rates, channel=moved.part,
                     before_share=moved.before_share, after_share=moved.after_share)]


def trend(process: Process) -> list[Sentence]:
    """Which steps' months are signals, and which are noise."""
    say, table = Speaker(process), measures.step_trend(process)
    table = table[table["signal"] != ""]
    if table.empty:
        return [Sentence("step_trend", "Whether the months of a step tell something cannot be said yet: it takes 12 complete "
                                       "months whose leads were followed long enough.")]
    signals = table[table["signal"] != "noise"]
    months = table.groupby("step").size().max()
    if signals.empty:
        return [Sentence("step_trend", f"Month by month all steps stay within their limits ({say.count(months)} months): the ups "
                                       "and downs are noise, and looking for their causes would be lost time.",
                         months_count=int(months), signals_count=0)]
    parts = [f"“{say.label(step)}” {say.count(len(part))} of {say.count((table['step'] == step).sum())} months, the last one "
             f"{say.date(part['period_start'].max())}" for step, part in signals.groupby("step", sort=False)]
    text = "Months that tell something (outside the limits, or eight in a row on one side): " + "; ".join(parts)
    return [Sentence("step_trend", text + ". All the rest is noise.", months_count=int(months), signals_count=len(signals))]


def price_of_point(process: Process) -> list[Sentence]:
    """At which step a lost percentage point costs the most."""
    say, table = Speaker(process), improvement.price_of_point(process)
    table = table[table["point_amount"].map(is_available)].sort_values("point_amount", ascending=False)
    if table.empty:
        return []
    row = table.iloc[0]
    text = (f"A percentage point lost at “{say.label(row.step)}” costs the most: {say.money(row.point_amount)} of margin a year "
            f"(95 % interval {say.range(row.point_low_amount, row.point_high_amount, 'amount')})")
    if len(table) > 1:
        text += ", against " + " and ".join(f"{say.money(other.point_amount)} at “{say.label(other.step)}”"
                                            for other in table.iloc[1:_NAMED].itertuples())
    return [Sentence("price_of_point", text + ".", step=row.step, amount=row.point_amount, low_amount=row.point_low_amount,
                     high_amount=row.point_high_amount)]


def _points(say: Speaker, change: float) -> str:
    """A difference of shares in percentage points with its sign."""
    return ("−" if change < 0 else "+") + say.share(abs(change)).removesuffix("%").rstrip()


# In the order in which a reader meets them.
TOPICS = (reconciliation, cohorts, price_of_point, owners, channels, change, trend)
