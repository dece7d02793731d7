"""The data contract: tables, their columns, types and units."""

from __future__ import annotations

from dataclasses import dataclass

from funnel_lib.language.messages import marked

STAGES = ("lead_generation", "conversion", "account_management")
LOST = "lost"
OTHER = "other"
MISSING = "(missing)"

KINDS = ("text", "time", "amount", "number", "count", "flag")


@dataclass(frozen=True)
class Column:
    """One column: `kind` is one of `KINDS`; `may_be_blank` says whether a required column may have empty fields."""

    name: str
    kind: str = "text"
    required: bool = False
    may_be_blank: bool = False

    @property
    def must_have_value(self) -> bool:
        """Whether a row without a value here cannot be used."""
        return self.required and not self.may_be_blank


@dataclass(frozen=True)
class Table:
    """One table of the contract; `title` is its name for a reader, `id_column` is set where every row has an id of its own."""

    name: str
    title: str
    columns: tuple[Column, ...]
    id_column: str | None = None
    time_column: str | None = None

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def required_columns(self) -> list[str]:
        return [column.name for column in self.columns if column.required]

    def of_kind(self, *kinds: str) -> list[str]:
        """Names of the columns of these kinds."""
        return [column.name for column in self.columns if column.kind in kinds]


def _columns(text: str) -> tuple[Column, ...]:
    """Columns from a line such as `lead_id! created_at!:time channel`: `!` required, `!?` required but may be blank."""
    columns = []
    for word in text.split():
        name, _, kind = word.partition(":")
        columns.append(Column(name.rstrip("!?"), kind or "text", "!" in name, name.endswith("?")))
    return tuple(columns)


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table("leads", marked("leads"), _columns(
            "lead_id! process! created_at!:time channel campaign segment owner customer_id referred_by"
            " expected_amount:amount currency returning:flag group"), "lead_id", "created_at"),
        Table("stage_events", marked("movement through the steps"), _columns(
            "lead_id! step! entered_at:time employee automated:flag reason"), None, "entered_at"),
        Table("orders", marked("orders"), _columns(
            "order_id! customer_id!? process! ordered_at!:time amount!:amount margin:amount currency lead_id channel"),
            "order_id", "ordered_at"),
        Table("customers", marked("customers"), _columns("customer_id! first_order_at:time segment"),
              "customer_id", None),
        Table("counts", marked("counts"), _columns(
            "process! step! count!:count period_start:time channel"), None, "period_start"),
        Table("spend", marked("spend"), _columns(
            "process! stage!? amount!:amount date:time channel item currency"), None, "date"),
        Table("work", marked("work"), _columns(
            "date!:time process! stage!? role!? hours!:number employee card channel lead_id customer_id automated:flag"),
            None, "date"),
        Table("touches", marked("touches"), _columns(
            "lead_id! channel!? touched_at!:time cost:amount currency"), None, "touched_at"),
        Table("pulse", marked("strain"), _columns(
            "date!:time process! stage!? role!? strain!:number"), None, "date"),
        Table("survey", marked("customer survey"), _columns(
            "customer_id! process! answered_at!:time score!:number"), None, "answered_at"),
    )
}

# Lever of a measure → what has to be named after its dot; None where it is one number of the process.
LEVER_PLACES = {"lead_flow": "channel", "target_share": "channel", "step_rate": "step", "step_days": "step", "repeat_rate": None,
                "gap_days": None, "referral_share": None, "mean_amount": None, "margin_share": None, "hours": "card",
                "cost": "card"}

# Tables without a process column belong to a process through the lead they name.
THROUGH_LEADS = ("stage_events", "touches")
# One of these is what a process needs to be measured at all.
ANCHORS = ("leads", "counts", "orders")
