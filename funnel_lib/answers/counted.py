"""Counted things in sentences (leads, customers, weeks, …), each with its own words: their endings are the language's matter."""

from __future__ import annotations

from funnel_lib.answers.sentence import Speaker
from funnel_lib.language.messages import marked

_PERIODS = {"week": marked("week"), "month": marked("month"), "quarter": marked("quarter"), "year": marked("year")}


def leads(say: Speaker, shown: str) -> str:
    """So many leads, the number as it is shown: "47.1 leads"."""
    return say.plural(shown, "{count} lead", "{count} leads", count=shown)


def new_leads(say: Speaker, shown: str) -> str:
    """So many new leads: "48 new leads"."""
    return say.plural(shown, "{count} new lead", "{count} new leads", count=shown)


def new_customers(say: Speaker, shown: str) -> str:
    """So many new customers: "109 new customers"."""
    return say.plural(shown, "{count} new customer", "{count} new customers", count=shown)


def period_name(say: Speaker, per: str) -> str:
    """The bare noun: "week"."""
    return say(_PERIODS[per])


def counted_periods(say: Speaker, count: int, per: str) -> str:
    """So many periods: "8 weeks"."""
    said = say.count(count)
    return {"week": say.plural(count, "{count} week", "{count} weeks", count=said),
            "month": say.plural(count, "{count} month", "{count} months", count=said),
            "quarter": say.plural(count, "{count} quarter", "{count} quarters", count=said),
            "year": say.plural(count, "{count} year", "{count} years", count=said)}[per]


def complete_periods(say: Speaker, count: int, per: str) -> str:
    """So many whole periods: "13 complete weeks"."""
    said = say.count(count)
    return {"week": say.plural(count, "{count} complete week", "{count} complete weeks", count=said),
            "month": say.plural(count, "{count} complete month", "{count} complete months", count=said),
            "quarter": say.plural(count, "{count} complete quarter", "{count} complete quarters", count=said),
            "year": say.plural(count, "{count} complete year", "{count} complete years", count=said)}[per]
