"""Some twenty deliberate mistakes, each of which a reader should meet with a warning."""

import pandas as pd

from funnel_lib.simulate.clock import AS_OF

LARGEST_SHARE = 0.04  # a small company must not lose more of a table to them

def spoil(tables: dict[str, pd.DataFrame], rng) -> list[dict]:
    """Puts the mistakes into ``tables`` and returns a list of ``{table, mistake, count}``."""
    made = []
    for table, mistake, count, change in _MISTAKES:
        planned = sum(row[2] for row in _MISTAKES if row[0] == table)
        if planned > LARGEST_SHARE * len(tables[table]):
            continue
        spoiled = change(tables[table], rng)
        if spoiled is None:
            continue
        tables[table] = spoiled
        made.append({"table": table, "mistake": mistake, "count": count})
    return made


def _repeated(count):
    def change(table, rng):
        rows = table.iloc[rng.integers(0, len(table), count)]
        return pd.concat([table, rows], ignore_index=True)
    return change


def _added(**values):
    """Copies of some row with other values; a callable value is given the row."""
    def change(table, rng):
        row = table.iloc[[int(rng.integers(len(table) // 4, len(table) // 2))]].copy()
        for column, value in values.items():
            row[column] = value(row.iloc[0]) if callable(value) else value
        return pd.concat([table, row.astype(table.dtypes.to_dict())], ignore_index=True)
    return change


def _changed(column, value, where):
    def change(table, rng):
        rows = table.index[table[column] == where]
        if not len(rows):
            return None
        table = table.copy()
        table.loc[rows[int(rng.integers(0, len(rows)))], column] = value
        return table
    return change


def _text(column, value):
    """Writes what is no number or date into a column, which thereby becomes text."""
    def change(table, rng):
        table = table.copy()
        times = pd.api.types.is_datetime64_any_dtype(table[column])
        values = table[column].dt.strftime("%Y-%m-%d") if times else table[column].astype(str)
        table[column] = values.astype(object)
        table.loc[int(rng.integers(0, len(table))), column] = value
        return table
    return change


def _event_before_lead(table, rng):
    """The first contact of two leads is written a day before they came."""
    table = table.copy()
    first = table[(table["step"] == "contacted") & (table["lead_id"] != table["lead_id"].shift())].index
    rows = first[rng.integers(0, len(first), 2)]
    table.loc[rows, "entered_at"] = table.loc[rows, "entered_at"] - pd.Timedelta(days=60)
    return table


_MISTAKES = (
    ("leads", "exact duplicate row", 1, _repeated(1)),
    ("leads", "channel typo: serch_ads", 1, _changed("channel", "serch_ads", where="search_ads")),
    ("leads", "segment with capital letters: FAMILY", 1, _changed("segment", "FAMILY", where="family")),
    ("stage_events", "event 60 days earlier, before its lead", 2, _event_before_lead),
    ("stage_events", "exact duplicate row", 2, _repeated(2)),
    ("stage_events", "event of an unknown lead", 1, _added(lead_id="R9999901", step="contacted", reason=None)),
    ("stage_events", "event of an unknown lead", 1, _added(lead_id="W9999902", step="lost", reason="competitor")),
    ("stage_events", "event of an unknown lead", 1, _added(lead_id="X0000003", step="won", reason=None)),
    ("stage_events", "event after as_of", 1, _added(step="contacted", reason=None,
                                                    entered_at=AS_OF + pd.Timedelta(days=19, hours=11))),
    ("stage_events", "unknown step: presentation", 1, _added(step="presentation", reason=None)),
    ("orders", "exact duplicate row", 1, _repeated(1)),
    ("orders", "order of zero amount", 1, _added(order_id="RO9999901", amount=0.0, margin=0.0, lead_id=None, channel=None)),
    ("touches", "touch of an unknown lead", 1, _added(lead_id="R9999904")),
    ("touches", "touch after as_of", 1, _added(touched_at=AS_OF + pd.Timedelta(days=3, hours=10))),
    ("work", "role typo: negotiater", 1, _changed("role", "negotiater", where="negotiator")),
    ("spend", "no number in amount: #REF!", 1, _text("amount", "#REF!")),
    ("spend", "no date: 2025-02-30", 1, _text("date", "2025-02-30")),
    ("pulse", "no number in strain: four", 1, _text("strain", "four")),
    ("survey", "exact duplicate row", 1, _repeated(1)),
    ("survey", "no date: 2025-06-31", 1, _text("answered_at", "2025-06-31")),
    ("customers", "no date: 2019-13-05", 1, _text("first_order_at", "2019-13-05")),
)
