"""What bad data gets: kinds of findings with their severity, message and what was done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from funnel_lib.language.messages import Message, message

SEVERITIES = ("error", "warning", "note")
EXAMPLES_SHOWN = 5


class Example(NamedTuple):
    """One place where the finding is seen; `line` is None where the file has no lines or the row has none."""

    file: str
    line: int | None
    text: str

    @property
    def message(self) -> Message:
        """The place and what stands there, in one line."""
        if self.line:
            return message("{file}, line {line}: {text}", file=self.file, line=self.line, text=self.text)
        return message("{file}: {text}", file=self.file, text=self.text)


@dataclass(frozen=True)
class Finding:
    """One thing found in the data: how bad, where, how many rows, up to five examples, and what was done about it.

    `process` is None where the finding concerns all processes of the company.
    """

    key: str
    severity: str
    table: str
    count: int
    message: Message
    action: Message
    examples: tuple[Example, ...] = ()
    process: str | None = None

    @property
    def text(self) -> Message:
        """The finding in one line, the first example included."""
        if not self.examples:
            return message("{table}: {found}; {action}", table=self.table, found=self.message, action=self.action)
        example = self.examples[0].message
        return message("{table}: {found} ({example}); {action}", table=self.table, found=self.message, example=example,
                       action=self.action)


class Kind(NamedTuple):
    """The texts of one kind of finding; `{…}` are filled in."""

    severity: str
    message: str
    action: str


_ASIDE = "set aside"
# Key → severity, what is the matter ({…} are filled in), what was done. The texts of all findings are here.
KINDS: dict[str, Kind] = {
    "table_unreadable": Kind("error", "{reason}", "nothing can be measured until this is mended"),
    "missing_column": Kind("error", "the required column {column} is missing; the file has {found}", "add it or map it"),
    "nothing_observed": Kind("error", "as_of {as_of} lies before the first row ({first})",
                             "say a later as_of, or leave it out"),
    "observed_backwards": Kind("error", "observed_from {observed_from} is not before as_of {as_of}",
                               "mend one of them in company.yaml"),
    "too_many_set_aside": Kind("error", "{count} of {total} rows had to be set aside, more than {allowed} %",
                               "mend the rows, or allow more by allow_set_aside_share in company.yaml"),
    "mangled_ids": Kind("error", "ids in {column} look damaged by a spreadsheet program", "export the ids as text again"),
    "foreign_currency": Kind("error", "amounts in {code} beside {currency}",
                             "give its rate in company.yaml, for instance rates: {{{code}: 1.0}}"),
    "nothing_to_measure": Kind("note", "no leads, no counts and no orders", "the report says what is needed"),
    "no_leads": Kind("note", "process {process!r} has no leads", "measures of leads say so"),
    "unknown_file": Kind("warning", "the file {file} is no table of the contract.{nearest}", "not read"),
    "no_known_table": Kind("error", "the database has {found}, and no table of the contract ({known})",
                           "name its tables or views as in the contract"),
    "unused_file": Kind("note", "no source of the mapping takes the file {file}", "not read"),
    "unknown_column": Kind("note", "the column {column} is not in the contract.{nearest}", "not read"),
    "encoding": Kind("warning", "{remark}", "check that names and reasons are readable, or say formats.encoding"),
    "mixed_zones": Kind("warning", "{column}: {remark}", "converted to the company's time zone"),
    "mojibake": Kind("warning", "{column} has text that was decoded wrongly before", "kept as it is"),
    "empty_table": Kind("note", "the table is empty", "measures that need it say so"),
    "broken_row": Kind("warning", "a row that is not a row: {reason}", _ASIDE),
    "swallowed_rows": Kind("warning", "a quoted field of several lines looks like rows after a quote that was left open",
                           "kept as one field; close the quote, or double it if it belongs to the text"),
    "missing_value": Kind("warning", "no value in the required column {column}", _ASIDE),
    "bad_time": Kind("warning", "{column} is no date or time", _ASIDE),
    "bad_number": Kind("warning", "{column} is no number", _ASIDE),
    "bad_flag": Kind("warning", "{column} is neither yes nor no", _ASIDE),
    "absurd_value": Kind("warning", "{column} is beyond what can be", _ASIDE),
    "control_character": Kind("warning", "{column} has a NUL character", _ASIDE),
    "cell_in_error": Kind("warning", "{column} is an error of a spreadsheet program", _ASIDE),
    "unknown_process": Kind("warning", "process {value!r} is not described.{nearest}", _ASIDE),
    "unknown_lead": Kind("warning", "the lead is not among the leads that are kept", _ASIDE),
    "after_as_of": Kind("warning", "at or after the end of observation", _ASIDE),
    "conflicting_rows": Kind("warning", "one {column} with different contents", "all of these rows set aside"),
    "duplicate_rows": Kind("note", "the same row again", "counted once"),
    "repaired_word": Kind("warning", "{column} {value!r} is written differently from {right!r}", "read as {right!r}"),
    "unknown_word": Kind("warning", "{column} {value!r} is not described.{nearest}", "its own row \"other\""),
    "before_lead": Kind("warning", "the event is earlier than its lead",
                        "counts as reached, has age 0 in curves, left out of medians"),
    "order_before_lead": Kind("warning", "the order is earlier than the lead it names", "kept"),
    "order_of_unknown_lead": Kind("warning", "the order names a lead that is not among those kept", "kept, without its lead"),
    "time_unknown": Kind("note", "{share} % of the events have no time", "counted as passed, never timed"),
    "refund": Kind("note", "negative amounts", "taken as refunds: they reduce the customer's total and are no orders"),
    "zero_amount": Kind("note", "orders of zero amount", "no sales, they start no relation"),
    "no_customer": Kind("warning", "orders without a customer", "kept as unattributed, apart from every customer"),
    "not_selected": Kind("note", "rows of {source} are not selected for this table", "left out, as the mapping says"),
    "not_needed": Kind("note", "rows of {source} without {column}", "they make no row of this table"),
    "assumed": Kind("warning", "nothing says what these words of {column} mean: {words}",
                    "taken for {meant}; if that is wrong, say so in a mapping"),
    "left_out": Kind("warning", "{source} has no column for {column} (looked for {wanted})", "no {table} from this file"),
    "no_match": Kind("warning", "{column} is not in {source}", "kept; what {source} would have added is missing"),
    "second_choice": Kind("note", "{column} is taken from {second!r} where {first!r} has no value", "check that this is meant"),
    "no_customer_ids": Kind("note", "leads have no customer_id", "all leads count as new"),
}


def finding(key: str, table: str, count: int = 1, examples: Iterable[Example] = (), process: str | None = None,
            **words: object) -> Finding:
    """A finding of a kind of `KINDS`, its texts filled in with `words`."""
    kind = KINDS[key]
    words = {"count": count, "table": table, "process": process, **words}
    return Finding(key, kind.severity, table, int(count), message(kind.message, **words), message(kind.action, **words),
                   tuple(examples)[:EXAMPLES_SHOWN], process)
