"""Whether the planted faults of the work are found: a card that claims too much, dear people on cheap work; and false alarms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from funnel_lib import Process, efficiency, simulate
from funnel_lib.efficiency.match import DEARER

PROCESSES = ("retail", "wholesale", "custom")
LEADS = 2_000
# A planted share is a fifth of the negotiators' hours; found is one between these.
LEAST, MOST = 0.15, 0.25
# Craft is planted as two roles doing half of the work each: their being dearer or cheaper is no false alarm.
CRAFT = "account_review"


class Found(NamedTuple):
    """What was found in one company, and what was called a fault that none was planted as."""

    overclaimed: bool
    dear_people: bool
    false_cards: int
    false_people: int
    cards: int


def found(seed: int) -> Found:
    """One company of this seed: the overclaiming card and the lent negotiators of wholesale, and alarms beside them."""
    company = simulate.make_company(seed=seed, leads=LEADS, bad_rows=False)
    over, dear, false_cards, false_people, count = False, False, 0, 0, 0
    for name in PROCESSES:
        process = _process(company, name)
        stories = company.truth["processes"][name]["stories"]
        cards = efficiency.technologization(process)
        planted = stories.get("overclaimed_card", {}).get("card")
        claimed = cards.loc[cards["level_gap"] > 0, "card"]
        over |= planted is not None and planted in set(claimed)
        false_cards += int((claimed != planted).sum())
        count += len(cards)
        match = efficiency.qualification_match(process, by="card")
        rows = match[(match["match"] == DEARER) & (match["card"] != CRAFT)]
        lent = (rows["role"] == "negotiator") & (rows["card_role"] == "caller")
        if "negotiators_hours_on_callers_cards_share" in stories:
            whole = match.loc[match["role"] == "negotiator", "hours"].sum()
            first = efficiency.qualification_match(process).iloc[0]
            dear = bool(first["role"] == "negotiator" and LEAST <= rows.loc[lent, "hours"].sum() / whole <= MOST)
        false_people += int((~lent).sum()) + (0 if name == "wholesale" else int(lent.sum()))
    return Found(over, dear, false_cards, false_people, count)


def cases(seeds: Iterable[int]) -> list[Found]:
    """One company per seed."""
    return [found(seed) for seed in seeds]


def _process(company: simulate.SimulatedCompany, name: str) -> Process:
    described = company.description
    settings = {key: value for key, value in described["processes"][name].items() if key != "name"}
    settings |= {key: described[key] for key in ("currency", "time_zone", "as_of", "observed_from", "roles")}
    work = company.tables["work"]
    return Process.from_tables(name, work=work[work["process"] == name], **settings)
