"""Currencies that are written beside the numbers in a column of amounts: one column has one, or says which is whose."""

from __future__ import annotations

import duckdb

from funnel_lib.errors import DataError
from funnel_lib.language.messages import message
from funnel_lib.readers.columns import quoted

_SIGNS = {"€": "EUR", "$": "USD", "₽": "RUB", "£": "GBP", "¥": "JPY", "₴": "UAH", "₸": "KZT"}
# Signs of several currencies: they are taken for the company's if that is one of them.
_SHARED = {"USD": ("AUD", "CAD", "HKD", "MXN", "NZD", "SGD", "ARS", "CLP", "COP"), "JPY": ("CNY",)}
_WORDS = {"RUB": "руб|р\\."}


def check_written_currency(connection: duckdb.DuckDBPyConnection, source: str, heading: str, file: str,
                           expected: str | None, currency_column: str | None = None) -> None:
    """Hold the signs and codes in the text column `heading` of table `source` against the currency that is expected.

    That is the one in `currency_column` where a row has a value there, else `expected`; None expects any, but only one.
    Raises `DataError` where another currency is written: its amounts would be added up as if they were the same.
    """
    own = f"upper(trim({quoted(currency_column)}))" if currency_column else "NULL"
    meant = f"coalesce(nullif({own}, ''), {_literal(expected)})"
    found = connection.execute(
        f"SELECT code, meant, min_by(value, _row), min(_row) FROM (SELECT _row, trim({quoted(heading)}) AS value, "
        f"{_code('value')} AS code, {meant} AS meant FROM {source}) WHERE code IS NOT NULL GROUP BY ALL ORDER BY 4").fetchall()
    wrong = [row for row in found if row[1] is not None and row[0] != row[1] and row[1] not in _SHARED.get(row[0], ())]
    codes = {row[0]: row for row in found if row[1] is None}
    wrong += list(codes.values())[1:]
    if wrong:
        code, beside, value, _ = wrong[0]
        beside = beside or next(iter(codes))
        raise DataError(message("{file}, column {heading}: amounts in {code} (such as {value!r}) beside {beside}; put the "
                                "currency of each row into a column of its own, currency, and say what the others are worth in "
                                "company.yaml, for instance rates: {{{code}: 1.0}}; or correct the company's currency",
                                file=file, heading=heading, code=code, value=value, beside=beside))


def _code(value: str) -> str:
    """SQL for the code of the currency that stands in a text, if any."""
    signs = " ".join(f"WHEN contains({value}, '{sign}') THEN '{code}'" for sign, code in _SIGNS.items())
    words = " ".join(f"WHEN regexp_matches(lower({value}), '{pattern}') THEN '{code}'" for code, pattern in _WORDS.items())
    letters = f"regexp_extract({value}, '^([A-Z]{{3}})[^A-Za-z]*[0-9]|[0-9][^A-Za-z]*([A-Z]{{3}})$', "
    return f"CASE {signs} {words} ELSE nullif(coalesce(nullif({letters}1), ''), {letters}2)), '') END"


def _literal(value: str | None) -> str:
    return "NULL::VARCHAR" if value is None else f"'{value}'"
