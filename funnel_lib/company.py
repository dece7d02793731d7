"""A company and its sales processes: the description with lazy tables, as every measure takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import duckdb
import narwhals as nw
import pandas as pd

from funnel_lib import periods
from funnel_lib.about import About
from funnel_lib.description import (
    CompanyDescription,
    ProcessDescription,
    Step,
    in_language,
    in_plain_words,
    moment_text,
    shown_place,
)
from funnel_lib.engine import collect, currency_code, left_join, to_lazy
from funnel_lib.errors import CallError, DataError, MeasureError, nearest
from funnel_lib.frames import definite
from funnel_lib.language.messages import joined, message
from funnel_lib.schema import ANCHORS, TABLES, THROUGH_LEADS

if TYPE_CHECKING:
    from funnel_lib.checks import Finding

NO_TIME = nw.lit(None, dtype=nw.Datetime("us"))


@dataclass(frozen=True)
class Process:
    """One sales process: its description and its tables, lazily filtered to what was observed.

    Measures take it and never change it. `source_tables` hold every row of the contract's tables (amounts in whole
    minor units); `table()` gives those of this process before `as_of`; `present` names the columns the source has.
    """

    name: str
    settings: ProcessDescription
    company: CompanyDescription
    source_tables: Mapping[str, nw.LazyFrame] = field(repr=False)
    present: Mapping[str, frozenset[str]] = field(repr=False)
    findings: tuple[Finding, ...] = ()

    @classmethod
    def from_tables(cls, name: str, *, steps: Iterable[str | dict] = (), as_of: Any = None, observed_from: Any = None,
                    currency: str = "EUR", time_zone: str = "UTC", language: str = "en", roles: dict | None = None,
                    calendar: dict | None = None, rates: dict | None = None, **tables_and_settings: Any) -> Process:
        """A process from frames in memory, of any engine that Narwhals takes; amounts in major units.

        Tables by their names (`leads`, `stage_events`, `orders`, `customers`, `counts`, `spend`, `work`, `touches`,
        `pulse`, `survey`) and settings by the names of `company.yaml` (`conversion_window_days`, `plan`,
        `target_segments`, `margin_share`, `cards`, `measures`, …), each optional but what the measure at hand needs.
        Without a `process` column all rows are this process's. Only columns and types are checked.
        Raises `CallError` for an unknown name and `DataError` for a missing column or a wrong type.
        """
        frames = {key: value for key, value in tables_and_settings.items() if key in TABLES and value is not None}
        settings = {key: value for key, value in tables_and_settings.items() if key not in TABLES and value is not None}
        unknown = [key for key in settings if key not in ProcessDescription.model_fields]
        if unknown:
            known = [*TABLES, *ProcessDescription.model_fields]
            raise CallError(message("from_tables: {word!r} is no table and no setting.{nearest}", word=unknown[0],
                                    nearest=nearest(unknown[0], known)))
        if isinstance(steps, str):
            raise CallError(message("from_tables: steps: expected a list of steps, found the one text {steps!r}", steps=steps))
        company = _described(
            name, {"steps": list(steps), **settings},
            {"currency": currency, "time_zone": time_zone, "language": language, "roles": roles,
             "calendar": calendar, "rates": rates, "as_of": moment_text(as_of, time_zone, "from_tables: as_of"),
             "observed_from": moment_text(observed_from, time_zone, "from_tables: observed_from")})
        source, present = {}, {}
        frames = {key: definite(frame, TABLES[key], time_zone) for key, frame in frames.items()}
        for key, frame in _of_one_engine(frames).items():
            source[key], present[key] = to_lazy(_with_process(frame, key, name), TABLES[key], time_zone,
                                                minor_units(currency))
        process = cls(name, company.processes[name], company, in_company_currency(source, present, company), present)
        _check_process_names(process)
        _check_currencies(process)
        return process

    # -- the description ---------------------------------------------------------------------------------------------

    @property
    def steps(self) -> list[Step]:
        """The funnel's steps in order; the last means "paid"."""
        return self.settings.steps

    @property
    def currency(self) -> str:
        return self.company.currency

    @property
    def language(self) -> str:
        return self.company.language

    @property
    def title(self) -> str:
        """The process's name for a reader."""
        return in_language(self.settings.name, self.language, self.name)

    @property
    def company_name(self) -> str:
        return in_language(self.company.name, self.language)

    @cached_property
    def minor_units(self) -> int:
        """Minor units in one unit of the currency (100 kopecks in a rouble)."""
        return minor_units(self.currency)

    def label(self, key: str) -> str:
        """The name for a reader of any key: channel, segment, step, reason, card, role, stage; else the key itself."""
        return self._labels.get(key, str(key))

    @cached_property
    def _labels(self) -> dict[str, str]:
        return self.company.labels(self.name, self.language)

    @cached_property
    def about(self) -> About:
        """What result tables say of this process to charts and pages."""
        return About(self.name, self.title, self.language, self.currency, self.as_of, self.observed_from,
                     tuple(self.settings.channels or ()), self._labels)

    def tidy(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A result table as measures return it: fresh index, and what it is about in `attrs["about"]`."""
        frame = frame.reset_index(drop=True)
        frame.attrs["about"] = self.about
        return frame

    # -- the tables --------------------------------------------------------------------------------------------------

    def has(self, table: str, *columns: str) -> bool:
        """Whether the source has this table with these columns, and rows of this process in it.

        A table that only other processes fill is not this one's: its zeros would be taken for figures. A table without
        any row is there: nothing has happened yet.
        """
        return table in self.present and set(columns) <= self.present[table] and self._is_kept_for_this(table)

    def _is_kept_for_this(self, table: str) -> bool:
        if "process" not in TABLES[table].column_names:
            return True
        return self.remembered(("has", table), lambda: bool(
            len(collect(self._of_process(table).head(1))) or not len(collect(self.source_tables[table].head(1)))))

    def table(self, name: str) -> nw.LazyFrame:
        """The rows of this process in one table, before `as_of` (and not before 1970), events of unknown leads left out.

        Raises `MeasureError` where the source has no such table.
        """
        if name not in TABLES:
            raise CallError(message("table {name!r} is not in the contract.{nearest}", name=name, nearest=nearest(name, TABLES)))
        if not self.has(name):
            what = message(TABLES[name].title)
            raise MeasureError(
                message("{process}: needs the table {name!r} ({what}), of which no row is of this process", process=self.name,
                        name=name, what=what) if name in self.present else
                message("{process}: needs the table {name!r} ({what}), which this company has not", process=self.name, name=name,
                        what=what))
        if name not in self._tables:
            self._tables[name] = self._observed(name)
        return self._tables[name]

    @cached_property
    def _tables(self) -> dict[str, nw.LazyFrame]:
        return {}

    def remembered(self, key: tuple, make: Callable[[], Any]) -> Any:
        """Something that several measures begin with (a frame, a figure), made once for this process."""
        if key not in self._memory:
            self._memory[key] = make()
        return self._memory[key]

    @cached_property
    def _memory(self) -> dict[tuple, Any]:
        return {}

    def _observed(self, name: str) -> nw.LazyFrame:
        frame, time = self._of_process(name), TABLES[name].time_column
        if time and self.as_of is not None:
            observed = ((nw.col(time) >= periods.FIRST_YEAR.to_pydatetime())
                        & (nw.col(time) < self.as_of.to_pydatetime()))
            may_be_missing = not next(c for c in TABLES[name].columns if c.name == time).required
            frame = frame.filter(observed | nw.col(time).is_null() if may_be_missing else observed)
        if name in THROUGH_LEADS:
            frame = frame.join(self.table("leads").select("lead_id"), on="lead_id", how="semi")
        return frame

    def _of_process(self, name: str) -> nw.LazyFrame:
        frame = self.source_tables[name]
        return frame.filter(nw.col("process") == self.name) if "process" in TABLES[name].column_names else frame

    @cached_property
    def is_empty(self) -> bool:
        """Whether there is nothing to measure: no lead, no count, no order."""
        return not any(len(collect(self.table(name).head(1))) for name in ANCHORS if self.has(name))

    # -- observation -------------------------------------------------------------------------------------------------

    @cached_property
    def as_of(self) -> pd.Timestamp | None:
        """Observation ends before this moment; None where no table has a time."""
        if self.company.as_of:
            return pd.Timestamp(self.company.as_of)
        return periods.observation_end(self._day_counts)

    @cached_property
    def observed_from(self) -> pd.Timestamp | None:
        """The recording began here: as described, else the earliest time in any table that can be one."""
        if self.company.observed_from:
            return pd.Timestamp(self.company.observed_from)
        return self._day_counts.index.min() if len(self._day_counts) else None

    @cached_property
    def _day_counts(self) -> pd.Series:
        return periods.possible_days(day_counts({name: self._of_process(name) for name in self.present}))

    def needs_as_of(self) -> pd.Timestamp:
        """`as_of`, or `MeasureError` where a measure of time has no time to go by."""
        if self.as_of is None:
            raise MeasureError(message("{process}: no table has a time; say when observation ends (as_of) to measure time",
                                       process=self.name))
        return self.as_of

    # -- leads ---------------------------------------------------------------------------------------------------------

    def leads(self, returning: bool | None = False) -> nw.LazyFrame:
        """Leads of new customers (default), of returning ones, or all (None), with `is_returning`.

        A lead is returning if its customer had a paid order in this process before its creation, was known from before (in
        the list of customers, with an earlier date or none), or the source says so. The order that names this lead is never
        one before it, nor is one of the lead's own day without a time of day.
        """
        frame = self.table("leads").with_columns(is_returning=nw.col("returning").fill_null(False))
        if self.has("leads", "customer_id"):
            frame = self._with_earlier_orders(frame) if self.has("orders") else frame.with_columns(_own_day=NO_TIME)
            frame = self._with_earlier_customers(frame) if self.has("customers") else frame
            frame = frame.drop("_own_day")
        return frame if returning is None else frame.filter(nw.col("is_returning") == returning)

    def _with_earlier_orders(self, leads: nw.LazyFrame) -> nw.LazyFrame:
        """Leads marked where another order of their customer came before; `_own_day` of the first order, if it is theirs."""
        leads = left_join(leads, self._first_orders(), "customer_id")
        is_own = (nw.col("_first_lead_id") == nw.col("lead_id")).fill_null(False)
        other = nw.when(is_own).then(nw.col("_other_at")).otherwise(nw.col("_first_at"))
        leads = leads.with_columns(_order_at=other, _own_day=nw.when(is_own).then(nw.col("_first_at").dt.truncate("1d")))
        return leads.with_columns(is_returning=nw.col("is_returning") | _is_before_lead("_order_at")).drop(
            "_first_at", "_first_lead_id", "_other_at", "_order_at")

    def _with_earlier_customers(self, leads: nw.LazyFrame) -> nw.LazyFrame:
        """Leads marked where the list of customers knows theirs from before."""
        leads = left_join(leads, self.known_customers(), "customer_id")
        is_own = (nw.col("known_at").dt.truncate("1d") == nw.col("_own_day")).fill_null(False)
        undated = ~nw.col("is_listed").is_null() & nw.col("known_at").is_null()
        before = undated | (_is_before_lead("known_at") & ~is_own)
        return leads.with_columns(is_returning=nw.col("is_returning") | before).drop("known_at", "is_listed")

    def known_customers(self) -> nw.LazyFrame:
        """One row per customer known from before: `customer_id`, `known_at` (missing without a date), `is_listed`, which is 1."""
        known = self.table("customers").select("customer_id", known_at=nw.col("first_order_at"))
        return known.group_by("customer_id").agg(nw.col("known_at").min()).with_columns(is_listed=nw.lit(1))

    def _first_orders(self) -> nw.LazyFrame:
        """Per customer the first paid order of this process, the lead it names, and the first one not of that lead."""
        paid = self.table("orders").filter((nw.col("amount") > 0) & ~nw.col("customer_id").is_null())
        before = nw.col("order_id").shift(1).over("customer_id", order_by=["ordered_at", "order_id"])
        first = paid.with_columns(_before=before).filter(nw.col("_before").is_null()).select(
            "customer_id", _first_at=nw.col("ordered_at"), _first_lead_id=nw.col("lead_id"))
        if not self.has("orders", "lead_id"):
            return first.with_columns(_other_at=NO_TIME)
        others = left_join(paid, first.select("customer_id", "_first_lead_id"), "customer_id")
        others = others.filter(nw.col("lead_id").is_null() | (nw.col("lead_id") != nw.col("_first_lead_id")).fill_null(True))
        others = others.with_columns(_other_at=nw.col("ordered_at")).group_by("customer_id").agg(nw.col("_other_at").min())
        return left_join(first, others, "customer_id")


@dataclass(frozen=True)
class Company:
    """A company as read: its description, its tables and the findings of the checks."""

    description: CompanyDescription
    source_tables: Mapping[str, nw.LazyFrame] = field(repr=False)
    present: Mapping[str, frozenset[str]] = field(repr=False)
    findings: tuple[Finding, ...] = ()
    # Rows in, kept, set aside and exact duplicates of each table.
    row_counts: pd.DataFrame | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return in_language(self.description.name, self.description.language)

    @property
    def process_names(self) -> list[str]:
        """Keys of the processes, in the order of the description."""
        return list(self.description.processes)

    def process(self, name: str) -> Process:
        """One process by its key, always the same one: what its measures begin with is made once.

        Raises `CallError` for a name that is not described and `DataError` where a finding is an error.
        """
        if name not in self.description.processes:
            raise CallError(message("process {name!r} is not described; there are {known}.{nearest}", name=name,
                                    known=", ".join(self.process_names), nearest=nearest(name, self.process_names)))
        findings = tuple(found for found in self.findings if found.process in (None, name))
        errors = [found for found in findings if found.severity == "error"]
        if errors:
            raise DataError(joined(found.text for found in errors))
        if name not in self._processes:
            self._processes[name] = Process(name, self.description.processes[name], self.description, self.source_tables,
                                            self.present, findings)
        return self._processes[name]

    @cached_property
    def _processes(self) -> dict[str, Process]:
        return {}


def _is_before_lead(time: str) -> nw.Expr:
    """Whether that time lies before the lead's creation; midnight of its own day is a date without a time of day."""
    is_own_day = nw.col(time) == nw.col("created_at").dt.truncate("1d")
    return ((nw.col(time) < nw.col("created_at")) & ~is_own_day).fill_null(False)


def minor_units(currency: str) -> int:
    """Minor units in one unit of a currency, by CLDR."""
    from babel.numbers import get_currency_precision  # loaded here: a tenth of the time of importing the package

    return 10 ** get_currency_precision(currency)


def day_counts(tables: Mapping[str, nw.LazyFrame]) -> pd.Series:
    """Number of times per day over all tables with a time."""
    parts = []
    for name, frame in tables.items():
        time = TABLES[name].time_column
        if time:
            per_day = (frame.filter(~nw.col(time).is_null()).with_columns(day=nw.col(time).dt.truncate("1d"))
                       .group_by("day").agg(nw.len().alias("rows_count")))
            parts.append(collect(per_day))
    counts = pd.concat(parts) if parts else pd.DataFrame({"day": pd.to_datetime([]), "rows_count": []})
    return counts.groupby("day")["rows_count"].sum().sort_index()


def in_company_currency(tables: Mapping[str, nw.LazyFrame], present: Mapping[str, frozenset[str]],
                        company: CompanyDescription) -> dict[str, nw.LazyFrame]:
    """The tables with the amounts of every currency that has a rate in the company's own."""
    converted = dict(tables)
    for name, frame in tables.items():
        if "currency" not in present[name]:
            continue
        frame = frame.with_columns(currency=currency_code())
        for code, rate in company.rates.items():
            is_foreign = (nw.col("currency") == code).fill_null(False) & (code != company.currency)
            frame = frame.with_columns(*[nw.when(is_foreign).then((nw.col(column) * rate).round(0))
                                         .otherwise(nw.col(column)).alias(column) for column in TABLES[name].of_kind("amount")])
        converted[name] = frame
    return converted


def _check_currencies(process: Process) -> None:
    """A second currency without a rate would be added up as if it were the company's."""
    for name in process.present:
        if "currency" not in process.present[name] or (name in THROUGH_LEADS and not process.has("leads")):
            continue
        found = set(collect(process.table(name).select("currency").unique())["currency"].dropna())
        unrated = sorted(found - {process.currency, *process.company.rates})
        if unrated:
            raise DataError(message("table {name}: amounts in {code} beside {currency}; give its rate in company.yaml, for "
                                    "instance rates: {{{code}: 1.0}}", name=name, code=unrated[0], currency=process.currency))


def _described(name: str, settings: dict, company: dict) -> CompanyDescription:
    from pydantic import ValidationError

    try:
        return CompanyDescription.model_validate(
            {"name": name, "processes": {name: settings}} | {key: value for key, value in company.items() if value})
    except ValidationError as error:
        first = error.errors()[0]
        place, what = in_plain_words(first)
        shown = shown_place([part for part in place if part not in ("processes", name)])
        raise CallError(message("from_tables: {place}: {what}", place=shown, what=what) if shown else
                        message("from_tables: {what}", what=what)) from error


def _with_process(frame: Any, table: str, name: str) -> Any:
    """A frame without a process column belongs to this process as a whole."""
    if "process" not in TABLES[table].column_names:
        return frame
    try:
        wrapped = nw.from_native(frame)
    except TypeError:
        return frame  # said with the table's name by to_lazy
    if "process" in wrapped.collect_schema():
        return frame
    return wrapped.with_columns(process=nw.lit(name)).to_native()


def _of_one_engine(frames: dict[str, Any]) -> dict[str, Any]:
    """All frames on one engine: tables of different engines or connections cannot be joined, so mixed ones come to pandas."""
    kinds = {}
    for key, frame in frames.items():
        try:
            kinds[key] = nw.from_native(frame).implementation
        except TypeError:
            return frames
    if len(set(kinds.values())) <= 1 and not _are_of_several_connections(frames):
        return frames
    if any(kind.is_pyspark() for kind in kinds.values()):
        raise CallError(message("from_tables: some tables are on Spark and some are not; put all of them on one engine"))
    return {key: collect(nw.from_native(frame).lazy()) for key, frame in frames.items()}


def _are_of_several_connections(frames: dict[str, Any]) -> bool:
    """Whether there are DuckDB relations that cannot be joined; only trying tells."""
    relations = [frame.project("1") for frame in frames.values() if isinstance(frame, duckdb.DuckDBPyRelation)]
    try:
        for relation in relations[1:]:
            relations[0].union(relation)
    except duckdb.InvalidInputException:
        return True
    return False


def _check_process_names(process: Process) -> None:
    """Tables that name other processes only would silently be empty."""
    for name in process.present:
        if "process" not in TABLES[name].column_names or process.has(name):
            continue  # one row of it is enough
        found = set(collect(process.source_tables[name].select("process").unique())["process"].dropna())
        if found and process.name not in found:
            raise DataError(message("table {name}: rows of {found}, none of {process!r}.{nearest}", name=name,
                                    found=", ".join(sorted(found)), process=process.name, nearest=nearest(process.name, found)))
