"""Days, weeks, months, quarters and years in the phrases that titles need: each phrase is a message of its own.

A language may bend the word ("в этом месяце", "на этой неделе"), so a phrase is never made by setting the bare word in.
"""

from __future__ import annotations

from funnel_lib.about import About
from funnel_lib.language.formats import format_count
from funnel_lib.language.messages import marked, plural, translate

_ORDER = ("day", "week", "month", "quarter", "year", "period")
_PHRASES = {
    "per": (marked("per day"), marked("per week"), marked("per month"), marked("per quarter"), marked("per year"),
            marked("per period")),
    "in_a": (marked("in a day"), marked("in a week"), marked("in a month"), marked("in a quarter"), marked("in a year"),
             marked("in a period")),
    "each": (marked("of each day"), marked("of each week"), marked("of each month"), marked("of each quarter"),
             marked("of each year"), marked("of each period")),
    "by_creation": (marked("by day of the lead's creation"), marked("by week of the lead's creation"),
                    marked("by month of the lead's creation"), marked("by quarter of the lead's creation"),
                    marked("by year of the lead's creation"), marked("by period of the lead's creation")),
    "since_first": (marked("days since the first order"), marked("weeks since the first order"),
                    marked("months since the first order"), marked("quarters since the first order"),
                    marked("years since the first order"), marked("periods since the first order")),
    "at_age": (marked("in day {number}"), marked("in week {number}"), marked("in month {number}"), marked("in quarter {number}"),
               marked("in year {number}"), marked("in period {number}")),
    "that": (marked("in that day"), marked("in that week"), marked("in that month"), marked("in that quarter"),
             marked("in that year"), marked("in that period")),
    "after": (marked("in the day after"), marked("in the week after"), marked("in the month after"),
              marked("in the quarter after"), marked("in the year after"), marked("in the period after")),
    "clients_of_one": (marked("the clients of one day"), marked("the clients of one week"), marked("the clients of one month"),
                       marked("the clients of one quarter"), marked("the clients of one year"),
                       marked("the clients of one period")),
    "of_first_order": (marked("the day of the first order"), marked("the week of the first order"),
                       marked("the month of the first order"), marked("the quarter of the first order"),
                       marked("the year of the first order"), marked("the period of the first order")),
    "their_first": (marked("their first day"), marked("their first week"), marked("their first month"),
                    marked("their first quarter"), marked("their first year"), marked("their first period")),
    "followed": (marked("followed for a day"), marked("followed for a week"), marked("followed for a month"),
                 marked("followed for a quarter"), marked("followed for a year"), marked("followed for a period")),
    "followed_whole": (marked("followed for a whole day"), marked("followed for a whole week"),
                       marked("followed for a whole month"), marked("followed for a whole quarter"),
                       marked("followed for a whole year"), marked("followed for a whole period")),
    "none_over": (marked("No day is over yet"), marked("No week is over yet"), marked("No month is over yet"),
                  marked("No quarter is over yet"), marked("No year is over yet"), marked("No period is over yet")),
    "not_over": (marked("the day is not over"), marked("the week is not over"), marked("the month is not over"),
                 marked("the quarter is not over"), marked("the year is not over"), marked("the period is not over")),
    "partly": (marked("day not wholly observed"), marked("week not wholly observed"), marked("month not wholly observed"),
               marked("quarter not wholly observed"), marked("year not wholly observed"),
               marked("period not wholly observed")),
    "stands_out": (marked("does a day stand out"), marked("does a week stand out"), marked("does a month stand out"),
                   marked("does a quarter stand out"), marked("does a year stand out"), marked("does a period stand out")),
    "too_few_before": (marked("too few days before the start for limits"), marked("too few weeks before the start for limits"),
                       marked("too few months before the start for limits"),
                       marked("too few quarters before the start for limits"),
                       marked("too few years before the start for limits"),
                       marked("too few periods before the start for limits")),
    "only_whole": (marked("In the only whole day"), marked("In the only whole week"), marked("In the only whole month"),
                   marked("In the only whole quarter"), marked("In the only whole year"), marked("In the only whole period")),
    "last_whole": (marked("of the last whole day"), marked("of the last whole week"), marked("of the last whole month"),
                   marked("of the last whole quarter"), marked("of the last whole year"), marked("of the last whole period")),
}


def phrase(kind: str, word: str, about: About, **values: object) -> str:
    """The phrase of this kind for a "day", "week", "month", "quarter", "year" or "period", in the language of the reader."""
    return about.say(_PHRASES[kind][_ORDER.index(word)], **values)


def counted(count: int, word: str, about: About) -> str:
    """So many periods: "3 weeks"."""
    shown = format_count(count, about.language)
    said = (plural(count, "{count} day", "{count} days", count=shown), plural(count, "{count} week", "{count} weeks", count=shown),
            plural(count, "{count} month", "{count} months", count=shown),
            plural(count, "{count} quarter", "{count} quarters", count=shown),
            plural(count, "{count} year", "{count} years", count=shown),
            plural(count, "{count} period", "{count} periods", count=shown))
    return translate(said[_ORDER.index(word)], about.language)


def out_of(count: int, word: str, about: About) -> str:
    """Out of so many periods: "of 3 weeks"."""
    shown = format_count(count, about.language)
    said = (plural(count, "of {count} day", "of {count} days", count=shown),
            plural(count, "of {count} week", "of {count} weeks", count=shown),
            plural(count, "of {count} month", "of {count} months", count=shown),
            plural(count, "of {count} quarter", "of {count} quarters", count=shown),
            plural(count, "of {count} year", "of {count} years", count=shown),
            plural(count, "of {count} period", "of {count} periods", count=shown))
    return translate(said[_ORDER.index(word)], about.language)


def complete(count: int, word: str, about: About) -> str:
    """So many complete periods: "3 complete weeks"."""
    shown = format_count(count, about.language)
    said = (plural(count, "{count} complete day", "{count} complete days", count=shown),
            plural(count, "{count} complete week", "{count} complete weeks", count=shown),
            plural(count, "{count} complete month", "{count} complete months", count=shown),
            plural(count, "{count} complete quarter", "{count} complete quarters", count=shown),
            plural(count, "{count} complete year", "{count} complete years", count=shown),
            plural(count, "{count} complete period", "{count} complete periods", count=shown))
    return translate(said[_ORDER.index(word)], about.language)
