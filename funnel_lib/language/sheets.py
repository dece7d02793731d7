"""Number formats for a spreadsheet: how a language writes a unit, in the codes that Excel and LibreOffice read.

Thousands and decimals are parted as the reader's own Excel does it; a file cannot say otherwise.
"""

from __future__ import annotations

from babel.numbers import get_currency_precision

from funnel_lib.language.formats import SPACE, currency_sign, sign_stands_before

# With a language of their own where they spell a month, so that it is not spelt in another one.
DATES = {"en": "[$-409]d mmm yyyy", "ru": "dd.mm.yyyy"}
MONTHS = {"en": "[$-409]mmm yyyy", "ru": "mm.yyyy"}
FORMATS = {"count": "#,##0", "share": f'0.0"{SPACE}"%', "days": "#,##0.0", "hours": "#,##0.0", "months": "0.0",
           "minutes": "#,##0.0", "level": "0.0", "ratio": "0.00", "per_hour": "0.00"}


def sheet_format(unit: str, language: str = "en", currency: str = "EUR", value: float = 1.5) -> str:
    """The code for a number of the unit; amounts with the currency's own decimals. `value` matters where the unit says nothing
    of the size.

    >>> sheet_format("amount", "ru", "RUB"), sheet_format("amount", "en", "JPY"), sheet_format("number", value=0.003)
    ('#,##0.00', '#,##0', '0.0000')
    """
    if unit == "amount":
        digits = get_currency_precision(currency)
        return "#,##0" + ("." + "0" * digits if digits else "")
    if unit in FORMATS:
        return FORMATS[unit]
    return "#,##0" if float(value).is_integer() else "0.0000" if abs(value) < 1 else "#,##0.00"


def money_format(language: str, currency: str) -> str:
    """An amount beside numbers of other units: with its currency.

    >>> money_format("ru", "RUB"), money_format("en", "EUR"), money_format("en", "RUB")
    ('#,##0.00\\xa0[$₽]', '[$€]#,##0.00', '[$RUB]\\xa0#,##0.00')
    """
    number, sign = sheet_format("amount", language, currency), currency_sign(currency, language)
    if sign_stands_before(language):
        return f"[${sign}]{SPACE if sign.isalpha() else ''}{number}"
    return f"{number}{SPACE}[${sign}]"


def date_format(language: str, timed: bool = False) -> str:
    """A date, with the time of day if there is one.

    >>> date_format("ru", timed=True)
    'dd.mm.yyyy hh:mm'
    """
    return DATES.get(language, DATES["en"]) + (" hh:mm" if timed else "")


def axis_format(unit: str, language: str, currency: str) -> str:
    """The numbers at an axis: as short as they can be.

    >>> axis_format("amount", "ru", "RUB"), axis_format("date", "ru", "RUB")
    ('#,##0', 'mm.yyyy')
    """
    if unit == "date":
        return MONTHS.get(language, MONTHS["en"])
    return f'0"{SPACE}"%' if unit == "share" else "#,##0" if unit in ("amount", "count") else "General"
