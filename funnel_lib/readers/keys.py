"""Keys that can be typed and make good file names, from names in any script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_LATIN = dict(zip("абвгдеёзийклмнопрстуфыэ", "abvgdeeziyklmnoprstufye", strict=True)) | {
    "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ь": "", "ю": "yu", "я": "ya"}


def safe_key(name: str) -> str:
    """A snake_case key in Latin letters.

    >>> safe_key("Опт (Москва)"), safe_key("Cafés & bars"), safe_key("…")
    ('opt_moskva', 'cafes_bars', 'key')
    """
    latin = "".join(_LATIN.get(letter, letter) for letter in name.lower())
    plain = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60] or "key"


def safe_keys(names: Iterable[str]) -> dict[str, str]:
    """Name → key, all different; a name that is a key already stays as it is.

    >>> safe_keys(["Опт", "опт!", "opt"])
    {'opt': 'opt', 'Опт': 'opt_2', 'опт!': 'opt_3'}
    """
    keys: dict[str, str] = {}
    used: set[str] = set()
    for name in sorted(names, key=lambda name: (safe_key(name) != name, name)):
        key = base = safe_key(name)
        number = 1
        while key in used:
            number += 1
            key = f"{base}_{number}"
        keys[name] = key
        used.add(key)
    return keys
