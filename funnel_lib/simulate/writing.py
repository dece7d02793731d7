"""Writes a simulated company into a folder: the same company, the same bytes."""

import json
import re
from pathlib import Path

import duckdb
import pandas as pd

from funnel_lib.simulate.company import SimulatedCompany

LONG_TABLES = ("leads", "stage_events", "orders", "work", "touches")
_COMMENTS = {
    "as_of": "observation ends before this day", "observed_from": "the recording began here",
    "roles": "hour_cost in roubles; paid hours per month and person",
    "processes": "one description per sales process",
    "plan": "what the owner wants", "not_leads": "lost for such a reason: it never was a lead",
    "lapse_factor": "silence of so many usual gaps: the client is late",
    "allow_set_aside_share": "more bad rows than this in a table stop the process",
    "conversion_window_days": "conversion is counted within so many days of a lead's creation",
    "margin_share": "where an order has no margin of its own", "steps": "the last one means: paid",
    "cards": "technology cards; level: 0 craft, 1 described, 2 scripted, 3 assisted by software, 4 automatic",
    "measures": "effects on rates are in points, all others relative", "labels": "names of the keys in the tables",
}
_PLAIN = re.compile(r"[^\W\d_]([\w ./-]*[\w])?")
_WORDS_OF_YAML = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


def write_company(company: SimulatedCompany, folder: str | Path) -> None:
    """Writes ``company.yaml``, ``truth.json``, Parquet for the long tables and CSV for the others.

    Files of these names in ``folder`` are replaced; nothing is written anywhere else.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in company.tables.items():
        if name in LONG_TABLES:
            _write_parquet(table, folder / f"{name}.parquet")
        else:
            _write_text(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
    _write_text(folder / "company.yaml", yaml_text(company.description))
    _write_text(folder / "truth.json", json.dumps(company.truth, ensure_ascii=False, indent=1) + "\n")


def yaml_text(description: dict) -> str:
    """Commented YAML in block style; what fits on a line stays on one."""
    lines = ["# A simulated company: every number in it is invented, and the truth is in truth.json."]
    _append_mapping(lines, description, "")
    return "\n".join(lines) + "\n"


def _append_mapping(lines: list[str], mapping: dict, indent: str) -> None:
    for key, value in mapping.items():
        comment = f"      # {_COMMENTS[key]}" if key in _COMMENTS else ""
        flow = _flow(value)
        if len(indent) + len(key) + len(flow) <= 116 and not _is_block(key, value):
            lines.append(f"{indent}{key}: {flow}{comment}")
            continue
        lines.append(f"{indent}{key}:{comment}")
        if isinstance(value, dict):
            _append_mapping(lines, value, indent + "  ")
        else:
            lines.extend(_wrapped_item(item, indent + "  ") for item in value)


def _is_block(key: str, value) -> bool:
    return key in ("processes", "roles", "cards", "measures", "labels") or (
        isinstance(value, dict) and any(isinstance(part, dict) and len(part) > 3 for part in value.values()))


def _wrapped_item(item, indent: str) -> str:
    """A list item on one line, or a flow mapping folded at its commas."""
    parts = [f"{key}: {_flow(value)}" for key, value in item.items()] if isinstance(item, dict) else [_flow(item)]
    rows, row = [], ""
    for part in parts:
        if row and len(indent) + len(row) + len(part) > 112:
            rows.append(row)
            row = ""
        row = f"{row}, {part}" if row else part
    text = f",\n{indent}   ".join([*rows, row])
    return f"{indent}- {{{text}}}" if isinstance(item, dict) else f"{indent}- {text}"


def _flow(value) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(part) for part in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value:g}" if abs(value) < 1e5 else str(int(value))
    plain = re.fullmatch(r"\d{4}-\d\d-\d\d", value) or (
        _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML)
    return value if plain else json.dumps(value, ensure_ascii=False)


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        connection.register("rows_to_write", table)
        connection.execute(f"COPY rows_to_write TO '{str(path).replace(chr(39), chr(39) * 2)}' "
                           "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 9)")


def _write_text(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))
