"""Kernels for the tests that look at what is rendered, and not at how kernels come to be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from funnel_lib.report import batch
from funnel_lib.report.forked import nursery
from funnel_lib.report.kernels import common_environment, prepare_fonts


@pytest.fixture(scope="session")
def address_of_nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A parent of kernels as every run has one; it takes three seconds to load what notebooks need."""
    shared = tmp_path_factory.mktemp("nursery") / "matplotlib"
    prepare_fonts(shared)
    with nursery(common_environment(shared)) as address:
        yield address


@pytest.fixture(scope="module")
def one_nursery(address_of_nursery: str) -> Iterator[None]:
    """The runs of a module in this process take their kernels, each a fork of its own, from one parent instead of starting their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "nursery", lambda environment: nullcontext(address_of_nursery))
        yield
