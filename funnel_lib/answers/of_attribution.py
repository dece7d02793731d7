"""Attribution in sentences: on which channel the models disagree, what that means, and what no model can credit."""

from __future__ import annotations

import pandas as pd

from funnel_lib import lead_flow as measures
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.language.messages import marked
from funnel_lib.lead_flow.attribution import MODELS, NO_TOUCHES
from funnel_lib.lead_flow.touch_paths import Paths, paths
from funnel_lib.rates import FEW, rate

NAMES = {"first": marked("first touch"), "last": marked("last touch"), "linear": marked("linear"),
         "time_decay": marked("time decay"),
         "position": marked("position"), "markov": marked("Markov")}
# Figures this close are the same figure.
SAME = 0.05
# Where first and last touches make at least this much of the spread, the channel opens or closes.
MOST_OF_SPREAD = 0.75


def attributed(process: Process) -> list[Sentence]:
    """On which channel the models of attribution disagree, what it means for it, and the conversions without touches."""
    models, counted = measures.attribution_models(process), paths(process)
    touched = models[models["channel"] != NO_TOUCHES]
    total, say = counted.conversions_count, Speaker(process)
    numbers = {"conversions_count": total, "leads_count": counted.leads_count}
    if not total:
        return [Sentence("attribution", _nothing_won(say, counted), **numbers)]
    if touched.empty or not touched["first_conversions"].sum():
        return [Sentence("attribution", _nothing_touched(say, counted), **numbers)]
    return [_disputed(touched, say, counted, numbers), _untouched(models, say, total)]


def _nothing_won(say: Speaker, counted: Paths) -> str:
    leads = say.count(counted.leads_count)
    if counted.window_days is None:
        return say("Nothing can be attributed yet: none of {leads} leads old enough was won.", leads=leads)
    return say("Nothing can be attributed yet: none of {leads} leads old enough was won within {days} of their creation.",
               leads=leads,
               days=say.days(counted.window_days))


def _nothing_touched(say: Speaker, counted: Paths) -> str:
    total = say.count(counted.conversions_count)
    if counted.window_days is None:
        return say("Nothing can be attributed to a channel: none of the {total} leads won has a touch before the win on record.",
                   total=total)
    return say("Nothing can be attributed to a channel: none of the {total} leads won within {days} of their creation has a touch "
               "before the win on record.",
               total=total, days=say.days(counted.window_days))


def _won(say: Speaker, counted: Paths) -> str:
    """How many leads were won, and within what time."""
    total = counted.conversions_count
    if counted.window_days is None:
        return say.plural(total, "{total} lead won", "{total} leads won", total=say.count(total))
    return say.plural(total, "{total} lead won within {days} of its creation", "{total} leads won within {days} of their creation",
                      total=say.count(total), days=say.days(counted.window_days))


def _disputed(touched: pd.DataFrame, say: Speaker, counted: Paths, numbers: dict) -> Sentence:
    differing, total = touched[touched["models_differ"]], counted.conversions_count
    row = (differing if len(differing) else touched).iloc[0]
    numbers |= {"channel": row.channel, **{
        name: float(row[name]) for name in touched.columns if name.endswith("_conversions")}}
    channel, won = say.label(row.channel), _won(say, counted)
    if row.spread_conversions < SAME:
        text = (say("All six models of attribution give the same credit for {won}: only “{channel}” touched them.", won=won,
                    channel=channel)
                if len(touched) == 1 else say("All six models of attribution give the same credit for {won}.", won=won))
        return Sentence("attribution", text, **numbers)
    credit = _credit(row, say, won)
    if total < FEW:
        text = say.plural(total, "On {total} conversion the models of attribution cannot be told apart ({few} are needed); they "
                                 "are furthest apart on “{channel}”: it gets {credit}.",
                          "On {total} conversions the models of attribution cannot be told apart ({few} are needed); they are "
                          "furthest apart on “{channel}”: it gets {credit}.",
                          total=say.count(total), few=say.count(FEW), channel=channel, credit=credit)
    elif not row.models_differ:
        text = say("The six models of attribution agree but for chance, so channels may be judged by any of them; they are "
                   "furthest apart on “{channel}”: it gets {credit}.",
                   channel=channel, credit=credit)
    else:
        text = " ".join([say("The models of attribution disagree most on “{channel}”: it gets {credit}.", channel=channel,
                             credit=credit),
                         _meaning(row, say)])
        others = differing["channel"].iloc[1:4]
        text += " " + say("They also disagree on {channels}.", channels=say.names(others)) if len(others) else ""
    return Sentence("attribution", text, **numbers)


def _credit(row: pd.Series, say: Speaker, won: str) -> str:
    """The smallest and the largest figure with the models that give them."""
    values = {model: float(row[f"{model}_conversions"]) for model in MODELS}
    least, most = min(values, key=values.get), max(values, key=values.get)
    return say("{least} ({least_model}) to {most} ({most_model}) of {won}", least=say.number(values[least]),
               least_model=say(NAMES[least]),
               most=say.number(values[most]), most_model=say(NAMES[most]), won=won)


def _meaning(row: pd.Series, say: Speaker) -> str:
    """What an owner may read from it: who opens, who closes, who only helps."""
    first, last, markov = row.first_conversions, row.last_conversions, row.markov_conversions
    ends = {"first": say.count(first), "last": say.count(last)}
    mostly = MOST_OF_SPREAD * row.spread_conversions
    if first - last >= mostly:
        return say("It brings in leads that other channels close ({first} first touches, {last} last ones): judged by last touches "
                   "alone it looks too weak, so do not cut it for that.", **ends)
    if last - first >= mostly:
        return say("It closes leads that other channels brought in ({first} first touches, {last} last ones): judged by last "
                   "touches alone it looks too strong, for without those channels it would have fewer to close.", **ends)
    if markov >= max(first, last):
        return say("It helps on the way more than it opens or closes ({first} first touches, {last} last ones): more would be lost "
                   "without it than its first or last touches show.", **ends)
    if markov < min(first, last):
        return say("The paths suggest that other channels would bring part of these leads too ({first} first touches, {last} last "
                   "ones): fewer conversions would be lost without it than its touches show.", **ends)
    return say("No single model tells its part ({first} first touches, {last} last ones): read the whole range before its money is "
               "changed.", **ends)


def _untouched(models: pd.DataFrame, say: Speaker, total: int) -> Sentence:
    """The conversions that no model can credit to a channel."""
    count = float(models.loc[models["channel"] == NO_TOUCHES, "first_conversions"].sum())
    share = rate(count, total)
    if not count:
        text = say.plural(total, "This one conversion has a touch on record, so it is attributed.",
                          "Every one of these {total} conversions has a touch on record, so all of them are attributed.",
                          total=say.count(total))
    else:
        text = say.plural(count, "{count} of these {total} conversions ({share}, 95 % interval {range}) has no touch on record and "
                                 "is attributed to no channel.",
                          "{count} of these {total} conversions ({share}, 95 % interval {range}) have no touch on record and are "
                          "attributed to no channel.",
                          count=say.count(count), total=say.count(total), share=say.share(share.share),
                          range=say.range(share.low_share, share.high_share))
    return Sentence("untouched_conversions", text, untouched_count=int(count), conversions_count=total, untouched_share=share.share,
                    low_share=share.low_share, high_share=share.high_share)
