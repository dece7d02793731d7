"""Checks of the tables against the contract and the description: nothing is dropped or repaired without a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import narwhals as nw
import pandas as pd

from funnel_lib.description import CompanyDescription
from funnel_lib.engine import collect, currency_code, left_join
from funnel_lib.errors import nearest
from funnel_lib.findings import EXAMPLES_SHOWN, Example, Finding, finding
from funnel_lib.language.messages import message
from funnel_lib.periods import FIRST_YEAR, LAST_YEAR
from funnel_lib.schema import LOST, OTHER, STAGES, THROUGH_LEADS, Table

__all__ = ["Checked", "Example", "Finding", "Loaded", "check_tables"]

# Columns whose words are described, and which a reader may have mistyped.
WORD_COLUMNS = ("process", "step", "stage", "role", "channel")
_LIMITS = {"strain": (1, 5), "score": (0, 10), "hours": (0, 1e5), "count": (0, 1e12)}
# At or after the end of observation.
LATE = "after_as_of"
_AMOUNT_LIMIT = 1e12
# What a spreadsheet program shows where a formula has no value.
CELLS_IN_ERROR = ("#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#ЗНАЧ!", "#ССЫЛКА!", "#Н/Д", "#ДЕЛ/0!",
                   "#ИМЯ?", "#ЧИСЛО!", "#ПУСТО!")


@dataclass(frozen=True)
class Loaded:
    """A table as read: typed rows with `_row` (from 1) and `_bad` (the column whose text has no meaning, else null)."""

    table: Table
    file: str
    frame: nw.LazyFrame
    present: frozenset[str]
    rows_in: int
    findings: tuple[Finding, ...] = ()
    rejected_count: int = 0
    lines: Callable[[list[int]], dict[int, int]] = field(default=lambda rows: {row: row for row in rows}, repr=False)

    def examples(self, rows: pd.DataFrame, column: str) -> list[Example]:
        """The first rows of a finding, by line, with the value that is the matter."""
        first = rows.sort_values("_row").head(EXAMPLES_SHOWN)
        lines = self.lines([int(row) for row in first["_row"]])
        return [Example(self.file, lines.get(int(row)), message("{column} = {value}", column=column, value=_shown(value)))
                for row, value in zip(first["_row"], first["_shown"], strict=True)]


@dataclass(frozen=True)
class Checked:
    """What the checks say of one table: rows to leave out, words to replace, findings."""

    aside: pd.DataFrame
    duplicates: pd.DataFrame
    # (column, process or None, word) → the word that is meant.
    words: dict[tuple[str, str | None, str], str]
    findings: list[Finding]


def check_tables(loaded: dict[str, Loaded], description: CompanyDescription, as_of: pd.Timestamp | None,
                 impossible_from: pd.Timestamp = LAST_YEAR) -> dict[str, Checked]:
    """Check every table.

    `as_of` is the end of observation; no event can be at or after `impossible_from`, which is no earlier.
    Rows in = kept + set aside + exact duplicates, for every table.
    """
    checked: dict[str, Checked] = {}
    leads = None
    for name in sorted(loaded, key=lambda table: table != "leads"):
        source = loaded[name]
        words, findings = _check_words(source, description, leads)
        frame = with_words(source.frame, words)
        if name in THROUGH_LEADS:
            frame = _with_leads(frame, leads)
        aside, more = _problems(source, frame, _rules(source, description, as_of, impossible_from), description)
        duplicates, conflicts, said = _repeated(source, frame, aside)
        aside = pd.concat([aside, conflicts]) if len(conflicts) else aside
        kept = _kept(frame, aside, duplicates)
        findings = [*source.findings, *findings, *more, *said, *_remarks(source, kept, description, leads)]
        checked[name] = Checked(aside, duplicates, words, [*findings, *_too_many(source, frame, aside, description)])
        if name == "leads":
            leads = kept
    return checked


def with_words(frame: nw.LazyFrame, words: dict[tuple[str, str | None, str], str]) -> nw.LazyFrame:
    """The frame with mistyped words replaced."""
    for (column, process, word), right in words.items():
        same = (nw.col(column) == word).fill_null(False)
        if process is not None and "process" in frame.collect_schema():
            same = same & (nw.col("process") == process).fill_null(False)
        frame = frame.with_columns(nw.when(same).then(nw.lit(right)).otherwise(nw.col(column)).alias(column))
    return frame


def _shown(value: object) -> str:
    if pd.isna(value):
        return message("(blank)")
    return str(value) if len(str(value)) <= 60 else str(value)[:57] + "…"


# -- words ---------------------------------------------------------------------------------------------------------------


def _check_words(source: Loaded, description: CompanyDescription, leads: nw.LazyFrame | None
                 ) -> tuple[dict[tuple[str, str | None, str], str], list[Finding]]:
    """Words that are not described: another spelling of a known one is repaired, the rest becomes "other"."""
    words: dict[tuple[str, str | None, str], str] = {}
    findings = []
    for column in WORD_COLUMNS:
        if column not in source.present:
            continue
        for process, word, count in _distinct(source, column, words, leads):
            known = _known_words(source.table.name, column, process, description)
            if known is None or word in known:
                continue
            right = next((name for name in known if _folded(name) == _folded(word)), None)
            if column == "process" and right is None:
                continue  # said with its rows, which are set aside
            words[column, None if column == "process" else process, word] = right or OTHER
            examples = source.examples(_rows_with(source, column, word), column)
            kind = "repaired_word" if right else "unknown_word"
            findings.append(finding(kind, source.table.name, count, examples, process, column=column, value=word,
                                    right=right or OTHER, nearest=nearest(word, known)))
    return words, findings


def _distinct(source: Loaded, column: str, words: dict, leads: nw.LazyFrame | None) -> Iterator[tuple[str | None, str, int]]:
    """(process or None, word, number of rows) of a column."""
    frame = with_words(source.frame, words)
    if source.table.name in THROUGH_LEADS and column != "process" and leads is not None:
        frame = left_join(frame, leads.select("lead_id", "process").unique("lead_id", keep="any"), "lead_id")
    keys = ["process", column] if column != "process" and "process" in frame.collect_schema() else [column]
    counts = collect(frame.filter(~nw.col(column).is_null()).group_by(keys).agg(nw.len().alias("rows_count")))
    for row in counts.sort_values(keys).to_dict("records"):
        process = row.get("process") if column != "process" else None
        yield (None if pd.isna(process) else process), row[column], int(row["rows_count"])


def _known_words(table: str, column: str, process: str | None, description: CompanyDescription) -> list[str] | None:
    """The words a column may have; None where anything goes."""
    if column == "process":
        return list(description.processes)
    if column == "stage":
        return list(STAGES)
    if column == "role":
        return list(description.roles) or None
    settings = description.processes.get(process) if process else None
    if settings is None:
        return None
    if column == "step":
        return [*(step.key for step in settings.steps), "lead" if table == "counts" else LOST] if settings.steps else None
    return None if settings.channels is None else [*settings.channels]


def _folded(word: str) -> str:
    return "".join(word.lower().replace("ё", "е").replace("_", " ").replace("-", " ").split())


def _rows_with(source: Loaded, column: str, word: str) -> pd.DataFrame:
    rows = source.frame.filter((nw.col(column) == word).fill_null(False)).select("_row", _shown=nw.col(column))
    return collect(rows.sort("_row").head(EXAMPLES_SHOWN))


# -- rows that cannot be used ------------------------------------------------------------------------------------------------


def _with_leads(frame: nw.LazyFrame, leads: nw.LazyFrame | None) -> nw.LazyFrame:
    """Events with the process and the creation of their lead (null where the lead is unknown)."""
    if leads is None:
        missing = nw.lit(None, dtype=nw.String)
        return frame.with_columns(process=missing, _created_at=nw.lit(None, dtype=nw.Datetime("us")))
    known = leads.select("lead_id", "process", _created_at=nw.col("created_at")).unique("lead_id", keep="any")
    return left_join(frame, known, "lead_id")


def _rules(source: Loaded, description: CompanyDescription, as_of: pd.Timestamp | None, impossible_from: pd.Timestamp
           ) -> list[tuple[str, str, nw.Expr]]:
    """(kind, column, expression true for a row that cannot be used), the first that holds is the reason."""
    table = source.table
    # Before "late": whoever looks from an earlier moment has many late rows, and mistyped years would hide among them.
    rules = [("absurd_value", name, (nw.col(name) < FIRST_YEAR.to_pydatetime())
              | (nw.col(name) >= impossible_from.to_pydatetime())) for name in table.of_kind("time") if name in source.present]
    if table.time_column in source.present and as_of is not None:
        rules.append((LATE, table.time_column, nw.col(table.time_column) >= as_of.to_pydatetime()))
    by_kind = {"time": "bad_time", "amount": "bad_number", "number": "bad_number", "count": "bad_number",
               "flag": "bad_flag"}
    for column in table.columns:
        if column.name not in source.present:
            continue
        name, value = column.name, nw.col(column.name)
        if column.kind in by_kind:
            rules.append((by_kind[column.kind], name, nw.col("_bad") == name))
        else:
            rules.append(("control_character", name, value.str.contains("\x00", literal=True)))
            rules.append(("cell_in_error", name, value.is_in(CELLS_IN_ERROR)))
        if column.must_have_value:
            rules.append(("missing_value", name, value.is_null()))
        if column.kind == "amount":
            rules.append(("absurd_value", name, (value > _AMOUNT_LIMIT) | (value < -_AMOUNT_LIMIT)))
        if name in _LIMITS and column.kind in ("number", "count"):
            low, high = _LIMITS[name]
            rules.append(("absurd_value", name, (value < low) | (value > high)))
    if "process" in source.present:
        rules.append(("unknown_process", "process", ~nw.col("process").is_in(list(description.processes))))
    if table.name in THROUGH_LEADS:
        rules.append(("unknown_lead", "lead_id", nw.col("_created_at").is_null()))
    return rules


def _problems(source: Loaded, frame: nw.LazyFrame, rules: list[tuple[str, str, nw.Expr]], description: CompanyDescription
              ) -> tuple[pd.DataFrame, list[Finding]]:
    """Rows to set aside (`_row`, `_process`, `_late`) with a finding for each reason."""
    problem = nw.lit(None, dtype=nw.Int64)
    for position in reversed(range(len(rules))):
        problem = nw.when(rules[position][2].fill_null(False)).then(nw.lit(position)).otherwise(problem)
    has_process = "process" in frame.collect_schema()
    bad = frame.with_columns(_problem=problem).filter(~nw.col("_problem").is_null())
    columns = sorted({column for _, column, _ in rules})
    process = nw.col("process") if has_process else nw.lit(None, dtype=nw.String)
    raw = [nw.col(name).cast(nw.String).alias(f"_text_{name}") for name in columns]
    rows = collect(bad.select("_row", "_problem", "_bad_text", *raw, _process=process))
    findings = []
    for position, group in rows.groupby("_problem"):
        kind, column, _ = rules[int(position)]
        group = group.assign(_shown=group["_bad_text"] if kind.startswith("bad_") else group[f"_text_{column}"])
        for value, some in (group.groupby("_shown") if kind == "unknown_process" else [(None, group)]):
            findings.append(finding(kind, source.table.name, len(some), source.examples(some, column),
                                    _only(some["_process"], description), column=column, value=value,
                                    nearest=nearest(str(value), description.processes)))
    late = rows["_problem"].map({position: rule[0] == LATE for position, rule in enumerate(rules)}).astype(bool)
    return rows[["_row", "_process"]].assign(_late=late), findings


def _only(processes: pd.Series, description: CompanyDescription) -> str | None:
    """The one process that all rows belong to, else None."""
    names = set(processes.dropna())
    return names.pop() if len(names) == 1 and processes.notna().all() and names <= set(description.processes) else None


def _repeated(source: Loaded, frame: nw.LazyFrame, aside: pd.DataFrame
              ) -> tuple[pd.DataFrame, pd.DataFrame, list[Finding]]:
    """Exact duplicates (all but the first), rows that share an id but not their contents, and the findings."""
    nothing = pd.DataFrame({"_row": [], "_process": []})
    key = source.table.id_column
    if key is None:
        return nothing, nothing, []
    often = frame.group_by(key).agg(nw.len().alias("_times")).filter(nw.col("_times") > 1).select(key)
    rows = collect(frame.filter(~nw.col(key).is_null()).join(often, on=key, how="semi"))
    rows = rows[~rows["_row"].isin(aside["_row"])].sort_values("_row")
    contents = [name for name in source.table.column_names if name in rows]
    rows["_process"] = rows.get("process")
    rows["_shown"] = rows[key]
    again = rows.duplicated(contents, keep="first")
    first = rows[~again]
    conflicting = first[first.duplicated(key, keep=False)]
    same = rows[again & ~rows[key].isin(conflicting[key])]
    conflicts = rows[rows[key].isin(conflicting[key])]
    findings = [finding(kind, source.table.name, len(some), source.examples(some, key), column=key)
                for kind, some in (("duplicate_rows", same), ("conflicting_rows", conflicts)) if len(some)]
    return same[["_row", "_process"]], conflicts[["_row", "_process"]], findings


def _kept(frame: nw.LazyFrame, aside: pd.DataFrame, duplicates: pd.DataFrame) -> nw.LazyFrame:
    left_out = [int(row) for row in pd.concat([aside["_row"], duplicates["_row"]])]
    return frame.filter(~nw.col("_row").is_in(left_out)) if left_out else frame


def _too_many(source: Loaded, frame: nw.LazyFrame, aside: pd.DataFrame, description: CompanyDescription
              ) -> Iterator[Finding]:
    """Errors where more of a table had to be set aside than the processes allow.

    Rows whose process is not known (broken ones, unknown leads) are judged against the whole table. Rows at or after the
    end of observation are not bad, only not observed: whoever looks from an earlier moment has many of them.
    """
    aside = aside[~aside["_late"].fillna(False).astype(bool)]
    strictest = min(settings.allow_set_aside_share for settings in description.processes.values())
    own = aside["_process"].where(aside["_process"].isin(list(description.processes)))
    nobody = int(own.isna().sum()) + source.rejected_count
    if nobody > strictest * source.rows_in:
        yield finding("too_many_set_aside", source.table.name, nobody, total=source.rows_in, allowed=round(strictest * 100, 1))
    if not own.notna().any():
        return
    totals = collect(frame.group_by("process").agg(nw.len().alias("rows_count"))).set_index("process")["rows_count"]
    for process, count in own.value_counts().items():
        allowed = description.processes[process].allow_set_aside_share
        if count > allowed * totals[process]:
            yield finding("too_many_set_aside", source.table.name, count, process=process, total=int(totals[process]),
                          allowed=round(allowed * 100, 1))


# -- rows that are kept, with a word about them --------------------------------------------------------------------------


def _remarks(source: Loaded, kept: nw.LazyFrame, description: CompanyDescription, leads: nw.LazyFrame | None
             ) -> Iterator[Finding]:
    """Findings that change nothing in the rows."""
    name = source.table.name
    if source.rows_in == 0:
        yield finding("empty_table", name, 0)
        return
    if "currency" in source.present:
        yield from _foreign_currencies(source, kept, description)
    if name == "stage_events":
        yield from _said(source, kept, "before_lead", "entered_at", nw.col("entered_at") < nw.col("_created_at"))
        events, timed = collect(kept.select(nw.len().alias("n"), timed=nw.col("entered_at").count())).iloc[0].astype(int)
        if events > timed:
            yield finding("time_unknown", name, events - timed, share=round(100 * (events - timed) / events, 1))
    if name == "orders":
        yield from _said(source, kept, "refund", "amount", nw.col("amount") < 0)
        yield from _said(source, kept, "zero_amount", "amount", nw.col("amount") == 0)
        yield from _said(source, kept, "no_customer", "customer_id", nw.col("customer_id").is_null())
        if leads is not None and "lead_id" in source.present:
            yield from _order_and_lead(source, kept, leads)
    if name == "leads":
        if "customer_id" not in source.present:
            yield finding("no_customer_ids", name, source.rows_in)
        found = set(collect(kept.select("process").unique())["process"])
        for process in description.processes:
            if process not in found:
                yield finding("no_leads", name, 0, process=process)


def _foreign_currencies(source: Loaded, kept: nw.LazyFrame, description: CompanyDescription) -> Iterator[Finding]:
    """An error of the process in which amounts are in a second currency that has no rate."""
    coded = kept.with_columns(_code=currency_code())
    foreign = coded.filter(~nw.col("_code").is_null() & ~nw.col("_code").is_in([description.currency, *description.rates]))
    counts = collect(foreign.group_by("process", "_code").agg(nw.len().alias("rows_count")))
    for process, code, count in counts.sort_values(["process", "_code"]).itertuples(index=False):
        some = foreign.filter((nw.col("process") == process) & (nw.col("_code") == code))
        first = collect(some.select("_row", _shown=nw.col("currency")).sort("_row").head(EXAMPLES_SHOWN))
        yield finding("foreign_currency", source.table.name, count, source.examples(first, "currency"), process,
                      code=code, currency=description.currency)


def _order_and_lead(source: Loaded, orders: nw.LazyFrame, leads: nw.LazyFrame) -> Iterator[Finding]:
    known = leads.select("lead_id", _created_at=nw.col("created_at")).unique("lead_id", keep="any")
    named = left_join(orders.filter(~nw.col("lead_id").is_null()), known, "lead_id")
    # Midnight of the lead's own day is a date without a time of day.
    own_day = nw.col("_created_at").dt.truncate("1d")
    yield from _said(source, named, "order_of_unknown_lead", "lead_id", nw.col("_created_at").is_null())
    yield from _said(source, named, "order_before_lead", "ordered_at",
                     (nw.col("ordered_at") < nw.col("_created_at")) & (nw.col("ordered_at") != own_day))


def _said(source: Loaded, kept: nw.LazyFrame, kind: str, column: str, condition: nw.Expr) -> Iterator[Finding]:
    some = kept.filter(condition.fill_null(False))
    count = int(collect(some.select(nw.len().alias("n")))["n"].iloc[0])
    if count:
        first = collect(some.select("_row", _shown=nw.col(column).cast(nw.String)).sort("_row").head(EXAMPLES_SHOWN))
        yield finding(kind, source.table.name, count, source.examples(first, column), column=column)
