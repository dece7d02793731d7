"""Which channel gets the credit for a conversion, by six models, and where they disagree."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.errors import CallError, nearest
from funnel_lib.language.messages import message
from funnel_lib.lead_flow.markov import RemovalEffects, removal_effects
from funnel_lib.lead_flow.touch_paths import START, Paths, paths, touched_leads
from funnel_lib.rates import FEW, rate, ratio

# Conversions of leads that no channel is known to have touched; every model leaves them there.
NO_TOUCHES = "(no touches)"
# Credit of the first and of the last touch; those between share the rest.
END_CREDIT = 0.4
MARKOV = "markov"
# A difference of two independent figures has twice the variance of one.
ROOT_OF_2 = 2**0.5


def attribution(process: Process, model: str = "markov") -> pd.DataFrame:
    """The conversions credited to each channel by one model; they add up to all conversions exactly.

    A conversion is a new lead at least W old (the process's window; without one the age by which nine tenths of the wins are
    in) that is won within W of its creation. Where the moments of wins are not known, all leads count, with their state. Its
    path are its touches up to the win (of a lead that did not convert: up to W after its creation), those before its creation
    too, in order of time, touches of the same moment by the channel's name. `model`: "first" or "last" touch; "linear" all
    touches alike; "time_decay" half as much for a touch 7 days earlier; "position" 40 % to the first, 40 % to the last, 20 % to
    those between (of two 50 % each); "markov" in proportion to the removal effects of a first-order chain over the paths of all
    leads with touches, converted or not.
    One row is a channel, the one with most conversions first; touches without a channel are "(missing)", conversions of leads
    without a touch are the last row, "(no touches)". Columns: `channel`, `conversions`, `conversions_share` of all conversions
    (Wilson limits as if each were one channel's alone), `touches_count` on the paths, `leads_count` (leads old enough that the
    channel touched; a lead counts at each of its channels), `removal_effect_share` with limits (only of "markov", else missing:
    share of the conversions lost if every path that comes to the channel ended there).
    Source: Anderl, Becker, von Wangenheim and Schumann 2016 (markov).
    Raises `MeasureError` without leads, events, described steps or touches, and where no lead is W old; `CallError` for another
    model.
    """
    if model not in MODELS:
        raise CallError(message("model={model!r}: expected one of {known}.{nearest}", model=model, known=", ".join(MODELS),
                                nearest=nearest(model, MODELS)))
    counted = paths(process)
    conversions, leads = _credited(process)[model], touched_leads(process)
    table = pd.DataFrame({"channel": conversions.index, "conversions": conversions.to_numpy(),
                          "touches_count": _touches(counted).reindex(conversions.index).to_numpy(),
                          "leads_count": leads.reindex(conversions.index).to_numpy()}).sort_values(
                              ["conversions", "channel"], ascending=[False, True])
    effects = _effects(process)
    for name, values in zip(("share", "low_share", "high_share"), effects, strict=True):
        by_channel = pd.Series(values, conversions.index) if model == MARKOV else pd.Series(np.nan, conversions.index)
        table[f"removal_effect_{name}"] = by_channel.reindex(table["channel"]).to_numpy()
    table = _with_untouched(table, counted, ["conversions"])
    table["conversions_share"], table["conversions_low_share"], table["conversions_high_share"], *_ = rate(
        table["conversions"], counted.conversions_count)
    return process.tidy(table[["channel", "conversions", "conversions_share", "conversions_low_share", "conversions_high_share",
                               "touches_count", "leads_count", "removal_effect_share", "removal_effect_low_share",
                               "removal_effect_high_share"]].astype({"touches_count": int, "leads_count": int}))


def attribution_models(process: Process) -> pd.DataFrame:
    """The conversions credited to each channel by every model, side by side; the most disputed channel first.

    One row is a channel, "(no touches)" last (see `attribution`). Columns: `channel`, `touches_count`, `first_conversions`,
    `last_conversions`, `linear_conversions`, `time_decay_conversions`, `position_conversions`, `markov_conversions`,
    `smallest_conversions` and `largest_conversions` of them, `spread_conversions` (largest − smallest), `models_differ` (the
    spread is wider than even two independent shares of this size would differ by chance: half their 95 % interval × √2, on at
    least 30 conversions). Each column of a model sums to the conversions. Raises as `attribution`.
    """
    counted, credited = paths(process), _credited(process)
    table = pd.DataFrame({f"{model}_conversions": credited[model] for model in MODELS}).rename_axis("channel").reset_index()
    table["touches_count"] = _touches(counted).reindex(table["channel"]).to_numpy()
    names = [f"{model}_conversions" for model in MODELS]
    table["spread_conversions"] = table[names].max(axis=1) - table[names].min(axis=1)
    table = _with_untouched(table.sort_values(["spread_conversions", "channel"], ascending=[False, True]), counted, names)
    table["smallest_conversions"], table["largest_conversions"] = table[names].min(axis=1), table[names].max(axis=1)
    table["spread_conversions"] = table["largest_conversions"] - table["smallest_conversions"]
    total = counted.conversions_count
    limits = rate(np.clip(table[names].mean(axis=1), 0, total), total)
    by_chance = (limits.high_share - limits.low_share) / 2 * ROOT_OF_2 * total
    table["models_differ"] = (table["spread_conversions"] > by_chance) & (total >= FEW)
    return process.tidy(table[["channel", "touches_count", *names, "smallest_conversions", "largest_conversions",
                               "spread_conversions", "models_differ"]].astype({"touches_count": int}))


def _touches(counted: Paths) -> pd.Series:
    return counted.touches.groupby("channel")["touches_count"].sum()


def _with_untouched(table: pd.DataFrame, counted: Paths, names: list[str]) -> pd.DataFrame:
    """The table with the last row of leads without a touch, if there are any; all models agree on it."""
    first = counted.touches[counted.touches["before"] == START]
    leads = counted.leads_count - first["touches_count"].sum()
    if not leads:
        return table
    conversions = counted.conversions_count - first.loc[first["converted"] == 1, "touches_count"].sum()
    row = {"channel": NO_TOUCHES, **dict.fromkeys(names, float(conversions)), "touches_count": 0, "leads_count": leads}
    return pd.concat([table, pd.DataFrame([row])[[name for name in row if name in table]]], ignore_index=True)


def _credited(process: Process) -> dict[str, pd.Series]:
    """Per model channel → conversions with touches, every channel of the paths in each."""
    return process.remembered(("attribution",), lambda: _all_credited(process))


def _all_credited(process: Process) -> dict[str, pd.Series]:
    touches = paths(process).touches
    channels = sorted(touches["channel"].unique())
    won = touches[touches["converted"] == 1]
    total = won.loc[won["before"] == START, "touches_count"].sum()
    return {model: _adding_up(credit(process, won), channels, total) for model, credit in MODELS.items()}


def _adding_up(credit: pd.Series, channels: list[str], total: float) -> pd.Series:
    """Credit as conversions: its last digits are rounded on the way, so it is scaled to its total."""
    credit = credit.reindex(channels).fillna(0.0).astype(float).rename_axis("channel")
    return credit * float(ratio(total, credit.sum())) if total else credit * 0.0


def _whole_touches(which: pd.Series, won: pd.DataFrame) -> pd.Series:
    return won[which].groupby("channel")["touches_count"].sum()


def _first(process: Process, won: pd.DataFrame) -> pd.Series:
    return _whole_touches(won["before"] == START, won)


def _last(process: Process, won: pd.DataFrame) -> pd.Series:
    return _whole_touches(won["is_last"] == 1, won)


def _linear(process: Process, won: pd.DataFrame) -> pd.Series:
    return pd.Series(ratio(won["touches_count"], won["path_count"]), won.index).groupby(won["channel"]).sum()


def _time_decay(process: Process, won: pd.DataFrame) -> pd.Series:
    return won.groupby("channel")["decayed"].sum()


def _position(process: Process, won: pd.DataFrame) -> pd.Series:
    length, at_end = won["path_count"], (won["before"] == START) | (won["is_last"] == 1)
    between = ratio(1 - 2 * END_CREDIT, np.maximum(length - 2, 1))
    each = np.where(length <= 2, ratio(1, length), np.where(at_end, END_CREDIT, between))
    return (won["touches_count"] * each).groupby(won["channel"]).sum()


def _markov(process: Process, won: pd.DataFrame) -> pd.Series:
    channels = sorted(paths(process).touches["channel"].unique())
    return pd.Series(_effects(process).share, channels, dtype=float)


def _effects(process: Process) -> RemovalEffects:
    """Removal effects of the channels in the order of their names."""
    return process.remembered(("removal_effects",), lambda: _removal_effects(paths(process).touches))


def _removal_effects(touches: pd.DataFrame) -> RemovalEffects:
    channels = sorted(touches["channel"].unique())
    if not channels:
        return RemovalEffects(*[np.empty(0)] * 3)
    moves = touches.pivot_table(index="before", columns="channel", values="touches_count", aggfunc="sum")
    moves = moves.reindex(index=[START, *channels], columns=channels).fillna(0).to_numpy()
    ends = touches[touches["is_last"] == 1].pivot_table(index="channel", columns="converted", values="touches_count", aggfunc="sum")
    ends = ends.reindex(index=channels, columns=[1, 0]).fillna(0).to_numpy()
    return removal_effects(moves[0], moves[1:], ends[:, 0], ends[:, 1])


# Model → how it credits the conversions on the paths of converted leads.
MODELS: dict[str, Callable[[Process, pd.DataFrame], pd.Series]] = {
    "first": _first, "last": _last, "linear": _linear, "time_decay": _time_decay, "position": _position, MARKOV: _markov}
