"""Kernels for the tests that look at what is rendered, and not at how kernels come to be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace

import pytest

from funnel_lib.report import batch, kernels
from funnel_lib.report.kernels import Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """A parent of kernels as every run has one; it takes three seconds to load what notebooks need."""
    with closing(Nursery()) as started:
        yield started


@pytest.fixture(scope="module")
def one_nursery(nursery: Nursery) -> Iterator[None]:
    """The runs of a module in this process take their kernels, each a fork of its own, from one parent instead of starting their own."""
    kept_open = SimpleNamespace(address=nursery.address, fonts=nursery.fonts, close=lambda: None)
    with pytest.MonkeyPatch.context() as patch:
        for module in (batch, kernels):  # the second for runs by the command
            patch.setattr(module, "Nursery", lambda: kept_open)
        yield
