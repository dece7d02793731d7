"""Numbers, money, dates and intervals as a reader of a language expects them; Babel does the formatting.

Three precisions: *glance* (three significant digits: sentences and charts), *exact* (counts and whole money: tables on
a page), and the raw values, which stay in the tables' data and in Excel. Thousands are spaced in both languages, a
minus is a real minus sign, spaces inside a number do not break. Undefined (missing, NaN, infinite) is "n/a".
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from functools import lru_cache
from numbers import Real
from typing import Any

from babel import Locale
from babel.dates import format_date as babel_date
from babel.dates import get_day_names
from babel.numbers import NumberPattern, format_compact_currency, get_currency_symbol, parse_pattern
from babel.units import format_unit

from funnel_lib.language.messages import marked, message, translate

LANGUAGES = ("en", "ru")
NOT_AVAILABLE, YES, NO, PER_HOUR = marked("n/a"), marked("yes"), marked("no"), marked("per hour")
DURATIONS = {"days": "duration-day", "hours": "duration-hour", "months": "duration-month", "minutes": "duration-minute"}
SPACE = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


@lru_cache
def _locale(language: str) -> Locale:
    return Locale.parse(language if language in LANGUAGES else "en")


@lru_cache(maxsize=64)
def _pattern(decimals: int) -> NumberPattern:
    return parse_pattern("#,##0" + ("." + "0" * decimals if decimals else ""))


def _decimal(value: float, decimals: int, language: str) -> str:
    text = _pattern(decimals).apply(value, _locale(language), numbering_system="latn")
    return _spaced(text, language)


def _spaced(text: str, language: str) -> str:
    """Thousands spaced and a real minus, also where the language would write a comma."""
    group = _locale(language).number_symbols["latn"]["group"]
    return text.replace(group, SPACE).replace("-", MINUS)


def is_available(value: Any) -> bool:
    """Whether there is a value to show: not None, not NaN or NaT, not infinite.

    >>> is_available(0), is_available(float("nan")), is_available(None)
    (True, False, False)
    """
    if value is None:
        return False
    try:
        return bool(value == value) and not (isinstance(value, Real) and math.isinf(value))
    except (TypeError, ValueError):  # pandas.NA has no truth value
        return False


def not_available(language: str = "en") -> str:
    """What stands where there is no value."""
    return translate(NOT_AVAILABLE, language)


def _glance_decimals(value: float) -> int:
    """Decimals that leave three significant digits, two for values below 0.1, at most six."""
    size = abs(value)
    if size == 0 or float(value).is_integer():
        return 0
    if size >= 0.1:
        return max(0, 2 - math.floor(math.log10(size)))
    return min(6, 1 - math.floor(math.log10(size)))


def _glance(value: float) -> float:
    """Large values keep three significant digits; the rest is left to the decimals."""
    if abs(value) < 1000:
        return value
    return round(value, 2 - math.floor(math.log10(abs(value))))


def format_count(value: Any, language: str = "en") -> str:
    """A whole number with spaced thousands; a count that is an average or an expectation keeps what a glance needs.

    >>> format_count(12345), format_count(float("nan"))
    ('12\\xa0345', 'n/a')
    """
    if not is_available(value):
        return not_available(language)
    number = float(value)
    return _decimal(number, 0 if abs(number) >= 100 else min(1, _glance_decimals(number)), language)


def format_number(value: Any, language: str = "en") -> str:
    """Three significant digits.

    >>> format_number(1234.5), format_number(12.345), format_number(0.01234, "ru")
    ('1\\xa0230', '12.3', '0,012')
    """
    if not is_available(value):
        return not_available(language)
    number = _glance(float(value))
    return _decimal(number, _glance_decimals(number), language)


def format_exact(value: float, language: str = "en") -> str:
    """A number with all its digits, up to six decimals, as at the ticks of an axis.

    >>> format_exact(12345), format_exact(-2.5), format_exact(0.25, "ru")
    ('12\\xa0345', '−2.5', '0,25')
    """
    number = round(float(value), 6) + 0.0  # no minus before a zero
    return _decimal(number, next(decimals for decimals in range(7) if round(number, decimals) == number), language)


HUNDREDTH = 0.01
# A smaller share is written as zero: its digits would all be noughts.
LEAST_SHARE = 0.00005


def _share_decimals(value: float) -> int:
    size = abs(value)
    if size in (0, 1):
        return 0
    return 2 if size < 0.01 else 1 if size < 1 else 0


def format_share(value: Any, language: str = "en") -> str:
    """A share of one as a percentage.

    >>> format_share(0.1834), format_share(0.0042, "ru"), format_share(1), format_share(1.8968)
    ('18.3\\xa0%', '0,42\\xa0%', '100\\xa0%', '190\\xa0%')
    """
    if not is_available(value):
        return not_available(language)
    number = float(value) if abs(float(value)) >= LEAST_SHARE else 0.0
    return _decimal(number * 100, _share_decimals(number), language) + SPACE + "%"


def format_chance(value: Any, language: str = "en") -> str:
    """A probability that was counted on draws: beyond one in a hundred they are too few for more digits.

    >>> format_chance(0.834), format_chance(1), format_chance(0.002, "ru")
    ('83\\xa0%', 'over 99\\xa0%', 'менее 1\\xa0%')
    """
    if not is_available(value):
        return not_available(language)
    told = f"{round(100 * min(max(value, HUNDREDTH), 1 - HUNDREDTH))}{SPACE}%"
    if HUNDREDTH <= value <= 1 - HUNDREDTH:
        return told
    return translate(message("under {share}", share=told) if value < HUNDREDTH else message("over {share}", share=told), language)


def currency_sign(currency: str, language: str = "en") -> str:
    """How the language writes the currency.

    >>> currency_sign("RUB", "ru"), currency_sign("RUB"), currency_sign("EUR")
    ('₽', 'RUB', '€')
    """
    return get_currency_symbol(currency, locale=_locale(language))


def _money_decimals(value: float) -> int:
    return 0 if abs(value) >= 100 or float(value).is_integer() else 2


def format_money(value: Any, language: str = "en", currency: str | None = None, exact: bool = False) -> str:
    """An amount with its currency's sign, rounded to what matters: at a glance three significant digits, millions in
    words; `exact` gives whole money (two decimals below 100).

    >>> format_money(123456.78, "en", "USD"), format_money(123456.78, "ru", "RUB", exact=True)
    ('$123\\xa0000', '123\\xa0457\\xa0₽')
    """
    if not is_available(value):
        return not_available(language)
    number = float(value)
    if not exact and abs(number) >= 999_500 and currency:
        text = format_compact_currency(_glance(number), currency, locale=_locale(language), fraction_digits=2)
        return _signed(_without_idle_zeros(_spaced(text, language), language), currency, language)
    number = number if exact else _glance(number)
    return _with_currency(_decimal(number, _money_decimals(number), language), currency, language)


def _without_idle_zeros(text: str, language: str) -> str:
    point = _locale(language).number_symbols["latn"]["decimal"]
    return text.replace(point + "00", "") if point + "00" in text else text


def _signed(text: str, currency: str, language: str) -> str:
    """A letter code stands apart from its number: `RUB 1.23M`."""
    sign = currency_sign(currency, language)
    return text.replace(sign, sign + SPACE, 1) if sign.isalpha() and not text.endswith(sign) else text


def _with_currency(text: str, currency: str | None, language: str) -> str:
    if not currency:
        return text
    sign = currency_sign(currency, language)
    if sign_stands_before(language):
        digits = text.removeprefix(MINUS)
        return text[: len(text) - len(digits)] + sign + (SPACE if sign.isalpha() else "") + digits
    return text + SPACE + sign


def format_moment(value: Any, language: str = "en") -> str:
    """A date as "6 Apr 2026"; the time of day only where there is one.

    >>> format_moment("2026-04-06"), format_moment("2026-04-06T14:05", "ru")
    ('6\\xa0Apr\\xa02026', '6\\xa0апр.\\xa02026, 14:05')
    """
    if not is_available(value):
        return not_available(language)
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
    if not isinstance(moment, date):
        return str(value)
    text = babel_date(moment, "d MMM y", locale=_locale(language)).replace(" ", SPACE)
    timed = isinstance(moment, datetime) and (moment.hour or moment.minute)
    return f"{text}, {moment:%H:%M}" if timed else text


def format_weekday(number: int, language: str = "en") -> str:
    """The name of a day of the week (0 is Monday) as the language writes it inside a sentence.

    >>> format_weekday(0), format_weekday(6, "ru")
    ('Monday', 'воскресенье')
    """
    return get_day_names("wide", locale=_locale(language))[number]


def format_flag(value: Any, language: str = "en") -> str:
    """Yes or no."""
    if not is_available(value):
        return not_available(language)
    return translate(YES if value else NO, language)


def format_duration(value: Any, unit: str, language: str = "en") -> str:
    """A number of days, hours, months or minutes with its word in the right form.

    >>> format_duration(1.5, "days", "ru"), format_duration(12.34, "hours")
    ('1,5\\xa0дня', '12.3\\xa0hours')
    """
    if not is_available(value):
        return not_available(language)
    bare = _duration_number(float(value), language)
    number = shown(bare)
    whole = int(number) if number.is_integer() else number
    words = format_unit(whole, DURATIONS[unit], length="long", locale=_locale(language))
    return bare + SPACE + words.rsplit(" ", 1)[-1].rsplit(SPACE, 1)[-1]


def shown(text: str) -> float:
    """The number that a formatted text shows: the words beside 109.3, written as 109, are those of 109.

    >>> shown(format_count(109.3)), shown(format_number(1234.5, "ru")), shown(format_number(47.125, "ru"))
    (109.0, 1230.0, 47.1)
    """
    return float(text.replace(SPACE, "").replace(MINUS, "-").replace(",", "."))


def _duration_number(value: float, language: str) -> str:
    number = _glance(value)
    return _decimal(number, 0 if abs(number) >= 100 else min(1, _glance_decimals(round(number, 1))), language)


def format_value(value: Any, unit: str, language: str = "en", currency: str | None = None) -> str:
    """`value` with its unit, for a sentence or a mark in a chart; `unit` is one of the glossary's.

    >>> format_value(0.1834, "share"), format_value(2, "days"), format_value(1250000, "amount", "ru", "RUB")
    ('18.3\\xa0%', '2\\xa0days', '1,25\\xa0млн\\xa0₽')
    """
    if not is_available(value):
        return not_available(language)
    if unit in DURATIONS:
        return format_duration(value, unit, language)
    if unit == "amount":
        return format_money(value, language, currency)
    if unit == "per_hour":
        return format_number(value, language) + SPACE + translate(PER_HOUR, language)
    return _plain(value, unit, language)


def format_cell(value: Any, unit: str, language: str = "en", currency: str | None = None) -> str:
    """`value` as it stands in a column whose head names the unit: counts exact, whole money, no repeated words.

    >>> format_cell(1234567, "amount", "en", "RUB"), format_cell(12.34, "days")
    ('1\\xa0234\\xa0567', '12.3')
    """
    if not is_available(value):
        return not_available(language)
    if unit in DURATIONS:
        return _duration_number(float(value), language)
    if unit == "amount":
        return format_money(value, language, None, exact=True)
    return _plain(value, unit, language)


def _plain(value: Any, unit: str, language: str) -> str:
    if unit == "date":
        return format_moment(value, language)
    if unit == "flag":
        return format_flag(value, language)
    if unit == "text" or isinstance(value, str):
        return str(value)
    if unit == "share":
        return format_share(value, language)
    if unit == "count":
        return format_count(value, language)
    if unit == "level":
        return _decimal(float(value), 0 if float(value).is_integer() else 1, language)
    return format_number(value, language)


def format_interval(low: Any, high: Any, unit: str, language: str = "en", currency: str | None = None) -> str:
    """Two limits as one text, the unit said once; undefined when either limit is.

    >>> format_interval(0.182, 0.24, "share"), format_interval(3, 12.34, "days")
    ('18.2–24.0\\xa0%', '3–12.3\\xa0days')
    >>> format_interval(-73.64, -38.36, "amount", "en", "EUR"), format_interval(-7020000, 12, "amount", "ru", "EUR")
    ('−€73.64 … −38.36', '−7,02\\xa0млн … 12\\xa0€')
    """
    if not (is_available(low) and is_available(high)):
        return not_available(language)
    if unit == "share":
        return _share_interval(float(low), float(high), language)
    if unit == "amount" and currency:
        return _money_interval(float(low), float(high), language, currency)
    start, end = (format_value(limit, unit, language, currency) for limit in (low, high))
    if unit in DURATIONS:
        start = _duration_number(float(low), language)
    return _joined(start, end)


def _money_interval(low: float, high: float, language: str, currency: str) -> str:
    """The currency said once, where a single amount has it: `−€74 … −38`, `−74 … −38 ₽`."""
    texts = [format_money(limit, language, currency) for limit in (low, high)]
    without = 1 if sign_stands_before(language) else 0
    sign = re.escape(currency_sign(currency, language))
    texts[without] = re.sub(rf"\s*{sign}\s*", "", texts[without])
    return _joined(*texts)


def sign_stands_before(language: str) -> bool:
    """Whether a currency's sign stands before the number."""
    return _locale(language).currency_formats["standard"].pattern.startswith("¤")


def _share_interval(low: float, high: float, language: str) -> str:
    decimals = max(_share_decimals(low), _share_decimals(high))
    start, end = (_decimal(limit * 100, decimals, language) for limit in (low, high))
    return _joined(start, end) + SPACE + "%"


def _joined(start: str, end: str) -> str:
    """Negative limits are set apart, so that a minus is not read as the dash."""
    return f"{start} {ELLIPSIS} {end}" if MINUS in start + end else start + DASH + end
