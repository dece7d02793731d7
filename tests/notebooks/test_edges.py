"""Every notebook on companies at the edges: its code run cell by cell in this process, with warnings as errors."""

from __future__ import annotations

import json
import re
import shutil
import warnings

import duckdb
import matplotlib.pyplot as plt
import pytest

from funnel_lib import simulate
from tests.conftest import ROOT

LEADS = 900


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The demonstration company with fewer leads."""
    folder = tmp_path_factory.mktemp("small") / "company"
    simulate.write_company(simulate.make_company(leads=LEADS), folder)
    return folder


def _replace(folder, table: str, query: str) -> None:
    """Write the table anew as what the query makes of it."""
    path = next(folder.glob(f"{table}.*"))
    duckdb.sql(f"copy ({query.format(repr(str(path)))}) to '{path.with_suffix('.new')}' "
               f"(format {'parquet' if path.suffix == '.parquet' else 'csv'})")
    path.with_suffix(".new").replace(path)


def _describe(folder, pattern: str, new: str) -> None:
    path = folder / "company.yaml"
    text, count = re.subn(pattern, new, path.read_text(encoding="utf-8"))
    assert count
    path.write_text(text, encoding="utf-8")


def no_segments_and_a_plan_of_zero(folder):
    _replace(folder, "leads", "select * replace (null::varchar as segment) from {}")
    _describe(folder, r"new_customers_per_month: [\d.]+", "new_customers_per_month: 0")


def two_weeks_old(folder):
    _describe(folder, r"as_of: \S+", "as_of: 2023-07-15")


def one_channel(folder):
    for table in ("leads", "touches", "spend"):
        _replace(folder, table, "select * replace ('social' as channel) from {}")


def one_order_each(folder):
    _replace(folder, "orders", "select * from {} qualify row_number() over (partition by customer_id order by ordered_at) = 1")


def a_giant_and_refunds_above_purchases(folder):
    _replace(folder, "orders", """select * replace (case when customer_id = first then amount * 5000 when hash(customer_id) % 9 = 0
        then -2 * amount else amount end as amount) from (select *, min(customer_id) over () as first from {}) where true""")


def money_only(folder):
    next(folder.glob("work.*")).unlink()
    next(folder.glob("pulse.*")).unlink()


def hours_without_costs_or_cards(folder):
    next(folder.glob("spend.*")).unlink()
    _replace(folder, "work", "select * replace (null::varchar as card) from {}")
    _describe(folder, r"\n    hour_cost: [\d.]+", "")


def odd_work_and_no_wins(folder):
    _replace(folder, "work", """select * replace (case when hash(date) % 5 = 0 then 30 else hours end as hours,
        case when hash(date) % 3 = 0 then null else stage end as stage, 'nobody' as lead_id) from {}""")
    _replace(folder, "stage_events", "select * from {} where step <> 'won'")
    _replace(folder, "orders", "select * from {} where false")


def _measures(lines: str):
    """The register of measures of every process is these lines instead."""
    def edge(folder):
        _describe(folder, r"    measures:.*\n(?:      .*\n)+", lines)
    return edge


no_measures = _measures("")
a_share_above_one = _measures("    measures:\n      - {key: wild, name: Wild, moves: step_rate.won, effect: {low: 0.5, likely: 1.2, high: 1.5}}\n")
no_measures.__name__, a_share_above_one.__name__ = "no_measures", "a_share_above_one"


def roles_without_hours(folder):
    _describe(folder, r"\n    paid_hours_per_month: .*", "")


def no_work(folder):
    next(folder.glob("work.*")).unlink()


def no_orders(folder):
    for table in ("orders", "survey", "customers"):
        next(folder.glob(f"{table}.*")).unlink()


def three_won_leads(folder):
    won = (f"(select lead_id from '{folder / 'stage_events.parquet'}' join '{folder / 'leads.parquet'}' using (lead_id) "
           "where step = 'won' and process = 'retail' order by entered_at limit 3)")
    _replace(folder, "orders", f"select * from {{}} where lead_id in {won}")
    _replace(folder, "stage_events", f"select * from {{}} where step <> 'won' or lead_id in {won}")


EDGES = [("01_lead_generation", no_segments_and_a_plan_of_zero), ("01_lead_generation", two_weeks_old),
         ("01_lead_generation", one_channel), ("02_conversion", two_weeks_old), ("03_account_management", two_weeks_old),
         ("03_account_management", one_order_each), ("03_account_management", a_giant_and_refunds_above_purchases),
         *(("04_improvement_plan", edge) for edge in (
             one_order_each, no_measures, a_share_above_one, roles_without_hours, no_work, no_orders, three_won_leads, two_weeks_old)),
         *(("05_efficiency", edge) for edge in (two_weeks_old, money_only, hours_without_costs_or_cards, odd_work_and_no_wins))]


@pytest.mark.parametrize(("notebook", "edge"), EDGES, ids=[f"{name}-{edge.__name__}" for name, edge in EDGES])
def test_the_notebook_runs_to_its_end(small, tmp_path, notebook, edge):
    folder = tmp_path / "company"
    shutil.copytree(small, folder)
    edge(folder)
    names = {"display": lambda *shown: None}
    cells = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cell in (cell for cell in cells if cell["cell_type"] == "code"):
            exec("".join(cell["source"]), names)
            if "parameters" in cell["metadata"].get("tags", []):
                names |= {"company": str(folder), "process": "retail"}
            plt.close("all")
