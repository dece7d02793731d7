"""Addresses of databases: what may stand in one. A password stands in the environment, never in a file."""

from __future__ import annotations

import re
from urllib.parse import quote, quote_plus, unquote, unquote_plus

# `${CRM_PASSWORD}`: the value of an environment variable.
VARIABLE = r"\$\{(\w+)\}"
EXAMPLE = "postgresql+psycopg://reader:${CRM_PASSWORD}@host/crm"
DATABASE_FILE = ".duckdb"
_LOOKS_LIKE_ONE = r"[A-Za-z][\w+]+:/"
# As SQLAlchemy takes an address apart: the password is between the first colon and the first @.
_PASSWORD = r"[\w+]+://[^:/]*:([^@]*)@"
# And where drivers take one among their options: ?password=…, ?odbc_connect=…;PWD=…
_OPTION = r"(?i)(?:password|passwd|passphrase|pwd|secret|token|(?:api|access)_?key|credentials_(?:base64|info))\s*=\s*([^;&]*)"


def is_address(database: str) -> bool:
    """Whether this is an address and not a file; one that is a variable as a whole is an address, too.

    >>> is_address("crm.duckdb"), is_address("sqlite:///crm.sqlite"), is_address("${CRM}")
    (False, True, True)
    """
    return "://" in database or re.fullmatch(VARIABLE, database) is not None


def looks_like_address(path: str) -> bool:
    """Whether what was given as a path is an address: paths lose one of its slashes."""
    return re.match(_LOOKS_LIKE_ONE, path) is not None


def names_database(text: str) -> bool:
    """Whether a description may name a database so: a DuckDB file or an address."""
    return is_address(text) or text.lower().endswith(DATABASE_FILE)


def holds_password(text: str) -> bool:
    """Whether an address has a password itself where it should name a variable.

    >>> holds_password("postgresql://reader:${CRM_PASSWORD}@host/crm"), holds_password("postgresql://reader:sesame@host/crm")
    (False, True)
    """
    return any(not re.fullmatch(VARIABLE, word) for word in passwords_in(text))


def passwords_in(address: str) -> set[str]:
    """The passwords that an address holds, or the variables in their places."""
    options = unquote_plus(address.partition("?")[2])
    found = [*re.findall(f"^{_PASSWORD}", address), *re.findall(_OPTION, options)]
    return {word.strip() for word in [*found, *map(unquote, found)]} - {""}


def without(text: str, secrets: set[str]) -> str:
    """The text with stars where it repeats one of the secrets, as it is or as an address or Python writes it.

    >>> without("no such user: x:open%20sesame@host", {"open sesame"})
    'no such user: x:***@host'
    """
    written = {form for secret in secrets for form in (secret, quote(secret), quote(secret, safe=""), quote(secret, safe=" +"),
                                                       quote_plus(secret), repr(secret)[1:-1])}
    for form in sorted(filter(None, written), key=len, reverse=True):
        text = text.replace(form, "***")
    return text
