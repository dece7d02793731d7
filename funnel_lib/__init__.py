"""funnel_lib: lead flow, conversion, loyalty and efficiency of sales processes, measured so that it can be believed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Name → module. Loaded on first use (PEP 562), so that importing the package costs hardly more than importing pandas.
_NAMES = {
    "read_company": "funnel_lib.readers.folder",
    "Company": "funnel_lib.company",
    "Process": "funnel_lib.company",
    "FunnelError": "funnel_lib.errors",
    "CallError": "funnel_lib.errors",
    "DataError": "funnel_lib.errors",
    "MeasureError": "funnel_lib.errors",
}
_MODULES = ("answers", "charts", "checks", "company", "conversion", "efficiency", "glossary", "improvement", "lead_flow",
            "lifetime", "loyalty", "pages", "periods", "rates", "schema", "simulate", "survival")

__all__ = ["__version__", *_NAMES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(import_module(_NAMES[name]), name)
    if name in _MODULES:
        return import_module(f"funnel_lib.{name}")
    raise AttributeError(f"module 'funnel_lib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
