"""Attribution in sentences: on which channel the models disagree, what that means, and what no model can credit."""

from __future__ import annotations

import pandas as pd

from funnel_lib import lead_flow as measures
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.lead_flow.attribution import MODELS, NO_TOUCHES
from funnel_lib.lead_flow.touch_paths import paths
from funnel_lib.rates import FEW, rate

NAMES = {"first": "first touch", "last": "last touch", "linear": "linear", "time_decay": "time decay", "position": "position",
         "markov": "Markov"}
# Figures this close are the same figure.
SAME = 0.05
# Where first and last touches make at least this much of the spread, the channel opens or closes.
MOST_OF_SPREAD = 0.75


def attributed(process: Process) -> list[Sentence]:
    """On which channel the models of attribution disagree, what it means for it, and the conversions without touches."""
    models, counted = measures.attribution_models(process), paths(process)
    touched = models[models["channel"] != NO_TOUCHES]
    total, say = counted.conversions_count, Speaker(process)
    followed = "" if counted.window_days is None else f" within {say.days(counted.window_days)} of their creation"
    numbers = {"conversions_count": total, "leads_count": counted.leads_count}
    if not total:
        return [Sentence("attribution", f"Nothing can be attributed yet: none of {say.count(counted.leads_count)} leads old enough "
                         f"was won{followed}.", **numbers)]
    if touched.empty or not touched["first_conversions"].sum():
        return [Sentence("attribution", f"Nothing can be attributed to a channel: none of the {say.count(total)} leads won"
                         f"{followed} has a touch before the win on record.", **numbers)]
    return [_disputed(touched, say, total, followed, numbers), _untouched(models, say, total)]


def _disputed(touched: pd.DataFrame, say: Speaker, total: int, followed: str, numbers: dict) -> Sentence:
    differing = touched[touched["models_differ"]]
    row = (differing if len(differing) else touched).iloc[0]
    numbers |= {"channel": row.channel, **{
        name: float(row[name]) for name in touched.columns if name.endswith("_conversions")}}
    name, won = f"“{say.label(row.channel)}”", f"{say.count(total)} leads won{followed}"
    if row.spread_conversions < SAME:
        why = f": only {name} touched them" if len(touched) == 1 else ""
        return Sentence("attribution", f"All six models of attribution give the same credit for {won}{why}.", **numbers)
    credit = f"it gets {_credit(row, say)} of {won}"
    furthest = f"they are furthest apart on {name}: {credit}."
    if total < FEW:
        text = f"On {say.count(total)} conversions the models of attribution cannot be told apart (30 are needed); {furthest}"
    elif not row.models_differ:
        text = f"The six models of attribution agree but for chance, so channels may be judged by any of them; {furthest}"
    else:
        text = f"The models of attribution disagree most on {name}: {credit}. {_meaning(row, say)}"
        others = [f"“{say.label(key)}”" for key in differing["channel"].iloc[1:4]]
        text += f" They also disagree on {', '.join(others)}." if others else ""
    return Sentence("attribution", text, **numbers)


def _credit(row: pd.Series, say: Speaker) -> str:
    """The smallest and the largest figure with the models that give them."""
    values = {model: float(row[f"{model}_conversions"]) for model in MODELS}
    least, most = min(values, key=values.get), max(values, key=values.get)
    return f"{say.number(values[least])} ({NAMES[least]}) to {say.number(values[most])} ({NAMES[most]})"


def _meaning(row: pd.Series, say: Speaker) -> str:
    """What an owner may read from it: who opens, who closes, who only helps."""
    first, last, markov = row.first_conversions, row.last_conversions, row.markov_conversions
    ends = f"{say.count(first)} first touches, {say.count(last)} last ones"
    mostly = MOST_OF_SPREAD * row.spread_conversions
    if first - last >= mostly:
        return (f"It brings in leads that other channels close ({ends}): judged by last touches alone it looks too weak, so do not "
                "cut it for that.")
    if last - first >= mostly:
        return (f"It closes leads that other channels brought in ({ends}): judged by last touches alone it looks too strong, for "
                "without those channels it would have fewer to close.")
    if markov >= max(first, last):
        return (f"It helps on the way more than it opens or closes ({ends}): more would be lost without it than its first or last "
                "touches show.")
    if markov < min(first, last):
        return (f"The paths suggest that other channels would bring part of these leads too ({ends}): fewer conversions would "
                "be lost without it than its touches show.")
    return f"No single model tells its part ({ends}): read the whole range before its money is changed."


def _untouched(models: pd.DataFrame, say: Speaker, total: int) -> Sentence:
    """The conversions that no model can credit to a channel."""
    count = float(models.loc[models["channel"] == NO_TOUCHES, "first_conversions"].sum())
    share = rate(count, total)
    if not count:
        text = f"Every one of these {say.count(total)} conversions has a touch on record, so all of them are attributed."
    else:
        text = (f"{say.count(count)} of these {say.count(total)} conversions ({say.share(share.share)}, 95 % interval "
                f"{say.range(share.low_share, share.high_share)}) have no touch on record and are attributed to no channel.")
    return Sentence("untouched_conversions", text, untouched_count=int(count), conversions_count=total, untouched_share=share.share,
                    low_share=share.low_share, high_share=share.high_share)
