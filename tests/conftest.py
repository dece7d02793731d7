"""What all tests share: no windows, closed figures, fixed seeds, the demonstration company, the open data."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

# Before numpy is there: on small matrices more threads only wait for each other, and the other worker has work for the core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import matplotlib
import numpy as np
import pytest
from hypothesis import settings

matplotlib.use("agg")

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = Path(os.environ.get("FUNNEL_SHARED_DATA", ROOT.parent / "shared" / "data"))

# The same examples in every run: a law that fails must fail for everybody.
settings.register_profile("project", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("project")


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: the collector would look through it anew every few seconds."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def fixed_seed_and_closed_figures():
    np.random.seed(20260701)
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture(scope="session")
def demo():
    """The demonstration company."""
    from funnel_lib import read_company

    return read_company(ROOT / "data" / "demo")


@pytest.fixture(scope="session")
def told(demo) -> Callable[[str, str], list]:
    """(exercise, process) → its sentences, all of them; they take seconds, so each list is made once and changed by nobody."""
    from funnel_lib import answers

    return cache(lambda exercise, process: getattr(answers, exercise)(demo.process(process)))


@pytest.fixture(scope="session")
def open_data() -> Path:
    """The folder of the open data sets, which are not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the open data sets are not here")
    return SHARED_DATA
