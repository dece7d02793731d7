"""The starter catalogue: typical measures of the three stages, filled in for a process, to copy into company.yaml."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from funnel_lib.company import Process
from funnel_lib.description import in_language
from funnel_lib.improvement.vocabulary import ALL_PLACES, Lever
from funnel_lib.language.messages import message, translate

CATALOGUE = Path(__file__).with_name("catalogue.yaml")
COLUMNS = ["measure", "stage", "catalogue_name", "lever", "moves", "place", "low_effect", "likely_effect", "high_effect",
           "assumption", "why"]
_STAGE_CARDS = {"lead_card": "lead_generation", "sales_card": "conversion", "care_card": "account_management"}


@cache
def entries() -> tuple[dict[str, Any], ...]:
    """The catalogue as it stands in the package: keys, both names, lever with a place in braces, effect, why."""
    from ruamel.yaml import YAML  # loaded here: only who looks at the catalogue pays for it

    return tuple(YAML(typ="safe").load(CATALOGUE.read_text(encoding="utf-8")))


def measure_catalogue(process: Process) -> pd.DataFrame:
    """Typical measures of the three stages for this process, as a place to start from.

    One row is a measure of the catalogue. Columns: `measure` (its key), `stage`, `catalogue_name`, `lever` (as company.yaml
    writes it, with a step, channel or card of this process), `moves`, `place`, `low_effect`, `likely_effect`, `high_effect`
    (shares in points, all else relative), `assumption` (always true: a cautious figure that nobody has measured here), `why`.
    Entries for whose place the description has nothing (no channels, no cards) are left out. `catalogue_text` is the same to copy.
    """
    rows = []
    for entry, moves in _filled(process):
        kind, _, place = moves.partition(".")
        lever, effect = Lever(kind, place or None), entry["effect"]
        rows.append((entry["key"], entry["stage"], in_language(entry["name"], process.language), moves, lever.label_key,
                     lever.place or ALL_PLACES, effect["low"], effect["likely"], effect["high"], True,
                     in_language(entry["why"], process.language)))
    return process.tidy(pd.DataFrame(rows, columns=COLUMNS))


def catalogue_text(process: Process) -> str:
    """The catalogue filled in for this process, as lines for `measures:` of company.yaml."""
    head = message("every effect is an assumption, not a figure of yours; add cost_once, cost_per_month, hours, owner, starts")
    said = translate(message("assumption"), process.language)
    lines = [f"    measures:      # {translate(head, process.language)}"]
    for entry, moves in _filled(process):
        effect = ", ".join(f"{name}: {entry['effect'][name]:g}" for name in ("low", "likely", "high"))
        names = ", ".join(f'{language}: "{text}"' for language, text in entry["name"].items())
        lines += [f"      # {in_language(entry['why'], process.language)}",
                  f"      - {{key: {entry['key']}, name: {{{names}}},",
                  f"         moves: {json.dumps(moves, ensure_ascii=False)}, effect: {{{effect}}}}}      # {said}"]
    return "\n".join(lines) + "\n"


def _filled(process: Process) -> Iterator[tuple[dict[str, Any], str]]:
    """Entries with the lever of this process; those for which it has no place are left out."""
    places = _places(process)
    for entry in entries():
        name = re.search(r"{(\w+)}", entry["moves"])
        if name is None:
            yield entry, entry["moves"]
        elif places.get(name[1]):
            yield entry, entry["moves"].replace(name[0], places[name[1]])


def _places(process: Process) -> dict[str, str | None]:
    steps = [step.key for step in process.steps if not step.optional]
    channels = [name for name in process.settings.channels or () if name not in process.settings.referral_channels]
    cards = process.settings.cards
    by_stage = {name: next((card.key for card in cards if card.stage == stage and card.cost), None)
                or next((card.key for card in cards if card.stage == stage), None) for name, stage in _STAGE_CARDS.items()}
    return {"first_step": steps[0] if steps else None, "middle_step": steps[len(steps) // 2] if steps else None,
            "last_step": steps[-1] if steps else None, "largest_channel": channels[0] if channels else None, **by_stage}
