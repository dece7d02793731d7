"""Kill -9 at random moments, on real runs: no child lives on, every file is whole, and `--resume` finishes."""

from __future__ import annotations

import random
import signal
import sys

import pytest

from tests.bench.kills import Company, victims, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the processes of a run by /proc")
BLOWS = ("parent", "worker", "parent", "kernel")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return Company(tmp_path_factory.mktemp("kills") / "company")


@pytest.mark.parametrize("seed", [1, 2])
def test_four_blows_at_random_moments_leave_whole_files_and_no_process(company: Company, seed: int) -> None:
    """Counted on the bytes of undisturbed runs; `make bench` gives a hundred blows."""
    chance = random.Random(seed)
    for kind in BLOWS:
        struck = False
        while not struck:  # a run may end before its blow
            struck, exit_code = company.strike(kind, chance)
            assert company.faults() == []
        assert exit_code in {"parent": [-signal.SIGKILL], "worker": [0], "kernel": [0, 1]}[kind]
    assert company.finish() == []


def test_a_parent_killed_while_the_others_start_leaves_none_of_them(company: Company) -> None:
    """At the first sight of a worker, when the nursery loads, too."""
    company.change_to(1 - company.state)  # a run with nothing to do starts no worker
    run, mark = company.start(), str(company.folder)
    wait_until(lambda: victims(mark, "worker"), 300)
    run.kill()
    run.wait()
    assert company.faults() == []
