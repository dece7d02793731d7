"""`make bench`: ratios measured in one run and long simulations; writes tests/bench/RESULTS.md.

`python -m tests.bench NAME …` runs only the parts named: the names are the keys of `PARTS`.
"""

from __future__ import annotations

import datetime as dt
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import mean, median

from joblib import Parallel, cpu_count, delayed

from funnel_lib.simulate import true_rates
from tests.bench import (
    batch_real,
    batch_speed,
    cohort_speed,
    conversion_speed,
    conveyor,
    kills,
    leads_speed,
    lifetime_speed,
    planted,
    work_speed,
)
from tests.bench.calibration import cases
from tests.bench.cohorts import misses
from tests.bench.coverage import coverage
from tests.bench.measures_planted import judged, summed
from tests.bench.planted_cards import cases as planted_cases

RESULTS = Path(__file__).with_name("RESULTS.md")
SEEDS = 1000
PROCESSES = ("retail", "wholesale", "custom")


def imports(runs: int = 15) -> list[str]:
    """Time to import the package over the time to import pandas, whole processes in turn."""
    def seconds(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    pairs = [(seconds("import funnel_lib"), seconds("import pandas")) for _ in range(runs)]
    ours, theirs = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    return ["| command | median seconds |", "|---|---|", f"| `import funnel_lib` | {ours:.3f} |",
            f"| `import pandas` | {theirs:.3f} |", "",
            f"Ratio {ours / theirs:.2f}; the bound is 1.3 ({runs} runs in turn)."]


def coverage_of_intervals() -> list[str]:
    """Share of seeds whose printed 95 % interval holds the planted truth, per quantity."""
    slices = [(name, range(start, start + 50)) for name in PROCESSES for start in range(0, SEEDS, 50)]
    parts = Parallel(n_jobs=cpu_count())(delayed(coverage)(name, seeds) for name, seeds in slices)
    held: dict[tuple[str, str], list[bool]] = {}
    for (name, _), part in zip(slices, parts, strict=True):
        for quantity, inside in part.items():
            held.setdefault((name, quantity), []).extend(inside)
    shares = {key: sum(inside) / len(inside) for key, inside in held.items()}
    rows = [f"| {name} | {quantity} | {share:.1%} |" for (name, quantity), share in shares.items()]
    return ["| process | quantity | intervals that hold the truth |", "|---|---|---|", *rows, "",
            f"{SEEDS} seeds; smallest {min(shares.values()):.1%}, largest {max(shares.values()):.1%}; the bounds are 93 % and "
            "97 %."]


def young_cohorts() -> list[str]:
    """Bias and coverage of the eventual conversion of cohorts at 30 % of their horizon."""
    slices = [range(start, start + 50) for start in range(0, SEEDS, 50)]
    found = [miss for part in Parallel(n_jobs=cpu_count())(delayed(misses)(seeds) for seeds in slices) for miss in part]
    rows = []
    for seeds in (200, SEEDS):
        some = found[:seeds]
        rows.append(f"| {seeds} | {mean(miss.estimate for miss in some):+.2%} | {mean(miss.naive for miss in some):+.2%} | "
                    f"{mean(miss.held for miss in some):.1%} |")
    return ["| seeds | mean error of the eventual conversion | mean error of won / leads | intervals that hold the truth |",
            "|---|---|---|---|", *rows, "",
            "Leads of January 2026 of the process custom (window 540 days), observed until July; true share "
            f"{true_rates('custom')['eventual_share']:.1%}. The bounds for 200 seeds are ± 1 point and more than 5 points off; for "
            "1,000 seeds 93 % to 97 %."]


def chance_of_the_plan(seeds: int = 100) -> list[str]:
    """Of the companies told that they will meet their plan, or that they will not: how many did."""
    slices = [(name, range(start, start + 25)) for name in PROCESSES for start in range(0, seeds, 25)]
    found = [case for part in Parallel(n_jobs=cpu_count())(delayed(cases)(*one) for one in slices) for case in part]
    rows = []
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        met = [case.met for case in found if low <= case.probability <= high]
        rows.append(f"| {low:.0%} to {high:.0%} | {len(met)} | {sum(met)} | {f'{mean(met):.0%}' if met else 'n/a'} |")
    return ["| chance stated | companies | met the plan | share |", "|---|---|---|---|", *rows, "",
            f"{len(found)} companies ({seeds} seeds of each of {', '.join(PROCESSES)}), plans of 70 to 130 % of what the process "
            "brings, the 13 weeks that follow fully matured. The bounds: at least 75 % of those told 80 to 100 %, at most 25 % of "
            "those told 0 to 20 %."]


def trials(seeds: int = 100) -> list[str]:
    """What companies are told of planted uplifts and of placebos."""
    slices = [range(start, start + 10) for start in range(0, seeds, 10)]
    found = [one for part in Parallel(n_jobs=cpu_count())(delayed(judged)(one) for one in slices) for one in part]
    rows = [f"| {row.Index} | {row.worked} | {row._2} | {row._3} | {row.holds} |" for row in summed(found).itertuples()]
    return ["| measure | worked | did not | cannot be told | interval holds the true effect |", "|---|---|---|---|---|", *rows, "",
            f"{seeds} seeds of retail and wholesale at their usual size; planted: 4 points (retail, first step, two groups), 6 points "
            "(wholesale, proposal, from a start on), nothing (a placebo of each kind). The bounds: a placebo is told to have worked in at "
            f"most {seeds // 10} of {seeds}, and at least {seeds * 9 // 10} intervals hold the true effect."]


def planted_work(seeds: int = 100) -> list[str]:
    """In how many companies the planted faults of the work are found, and how many faults are called that none was planted as."""
    slices = [range(start, start + 25) for start in range(0, seeds, 25)]
    found = [case for part in Parallel(n_jobs=cpu_count())(delayed(planted_cases)(one) for one in slices) for case in part]
    cards = sum(case.cards for case in found)
    return ["| planted | found | false alarms |", "|---|---|---|",
            f"| a card that claims level 3 and shows 1 | {sum(case.overclaimed for case in found)} of {len(found)} | "
            f"{sum(case.false_cards for case in found)} of {cards - len(found)} other cards |",
            f"| negotiators on callers' cards for a fifth of their hours | {sum(case.dear_people for case in found)} of {len(found)} | "
            f"{sum(case.false_people for case in found)} pairs of a card and a dearer role |", "",
            f"{len(found)} companies of 2,000 leads in three processes, one per seed; found: the log shows less than the card claims; "
            "the pair is the dearest one and holds 15 to 25 % of the negotiators' hours. The bound is 95 of 100."]


PARTS: dict[str, tuple[str, Callable[[], list[str]]]] = {
    "imports": ("Import of the package", imports),
    "coverage": ("Coverage of the 95 % intervals (step rates, eventual conversion)", coverage_of_intervals),
    "cohorts": ("Young cohorts at 30 % of their horizon", young_cohorts),
    "sufficiency": ("The chance to meet the plan", chance_of_the_plan),
    "trials": ("Whether started measures worked", trials),
    "planted": ("Planted faults of the work (exercise 5)", planted_work),
    "leads": ("Notebook 01 on ten million leads", leads_speed.compare),
    "conversion": ("Notebook 02 on ten million events", conversion_speed.compare),
    "lifetime": ("Purchase models on a million customers", lifetime_speed.compare),
    "retention": ("Who is kept, on ten million orders (notebook 03)", cohort_speed.compare),
    "batch": ("Fifty light reports", batch_speed.compare),
    "reports": ("The real notebooks over ten processes", batch_real.compare),
    "growth": ("Two hundred processes in one run", batch_real.growth),
    "kills": ("Runs killed at random moments", kills.compare),
    "work": ("The efficiency sheet on twenty million pieces of work (notebook 05)", work_speed.compare),
    "bottleneck": ("Planted bottlenecks", planted.bottlenecks),
    "conveyor": ("The weekly model: bands of the next quarter, cost of a run", conveyor.compare),
}


def machine() -> str:
    """Where and with what the figures were measured."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("pandas", "duckdb", "narwhals", "numpy"))
    return (f"{dt.date.today().isoformat()} · {cpu_count()} cores, {platform.machine()}, {platform.system()} · "
            f"Python {platform.python_version()}, {packages}")


def main(names: list[str]) -> None:
    """Run the parts named (all without names) and replace their sections of the results."""
    unknown = set(names) - set(PARTS)
    if unknown:
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    sections = _sections()
    for name in names or PARTS:
        title, measure = PARTS[name]
        measured = measure()
        if measured:  # a part that cannot be measured here leaves its section as it is
            sections[title] = "\n".join([machine(), "", *measured])
    text = "\n\n".join(["# Results of `make bench`", *(f"## {title}\n\n{body}" for title, body in sections.items())])
    RESULTS.write_text(text + "\n", encoding="utf-8")


def _sections() -> dict[str, str]:
    if not RESULTS.exists():
        return {}
    parts = RESULTS.read_text(encoding="utf-8").split("\n## ")[1:]
    return {title: body.strip() for title, _, body in (part.partition("\n") for part in parts)}


if __name__ == "__main__":
    main(sys.argv[1:])
