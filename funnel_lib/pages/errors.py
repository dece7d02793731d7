"""Errors of this package in a running notebook, said in the language of its reader."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from funnel_lib.errors import FunnelError, said
from funnel_lib.language.messages import SOURCE_LANGUAGE


def say_errors_in(language: str) -> None:
    """Let every error of this package that stops a cell be said in `language`; without a notebook nothing happens."""
    from IPython import get_ipython  # only a kernel has it, and reports are read without one

    shell = get_ipython()
    if shell is None or language == SOURCE_LANGUAGE:
        return

    def show(shell: Any, kind: type[FunnelError], error: FunnelError, trace: TracebackType, tb_offset: int | None = None) -> None:
        told = kind(said(error, language)).with_traceback(trace)
        shell.showtraceback((kind, told, trace), tb_offset=tb_offset)

    shell.set_custom_exc((FunnelError,), show)
