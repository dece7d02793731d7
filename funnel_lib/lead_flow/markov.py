"""The first-order Markov chain of paths over channels: how many conversions would be lost without each of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from funnel_lib.rates import ratio

DRAWS = 200


class RemovalEffects(NamedTuple):
    """Share of the conversions that are lost when a channel is taken away, with 95 % limits; NaN where nobody converts."""

    share: np.ndarray
    low_share: np.ndarray
    high_share: np.ndarray


def removal_effects(starts: np.ndarray, moves: np.ndarray, conversions: np.ndarray, ends: np.ndarray) -> RemovalEffects:
    """1 − P(conversion without the channel) / P(conversion), per channel, with 95 % limits.

    Of k channels: `starts[i]` paths begin in channel i, `moves[i, j]` go from i to j (i to i too), `conversions[i]` convert from
    i, `ends[i]` end there without. Without a channel every path that comes to it ends there. The limits are those of drawn
    chains, each state's moves drawn anew around what was counted (seeded); they take the chain for right.
    Source: Anderl, Becker, von Wangenheim and Schumann 2016; Rubin 1981 (the draws).

    >>> removal_effects(np.array([4]), np.array([[0]]), np.array([1]), np.array([3])).share.tolist()
    [1.0]
    """
    rows = np.hstack([moves, conversions[:, None], ends[:, None]]).astype(float)
    share = _effects(starts[None].astype(float), rows[None])[0]
    if not conversions.sum() > 0:
        return RemovalEffects(share, share, share)
    rng = np.random.default_rng(20260701)
    # Gamma draws in proportion are Dirichlet draws; a move that was never counted is never drawn.
    drawn = _effects(rng.standard_gamma(starts, (DRAWS, *starts.shape)), rng.standard_gamma(rows, (DRAWS, *rows.shape)))
    return RemovalEffects(share, *np.quantile(drawn, (0.025, 0.975), axis=0))


def _effects(starts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Removal effects of several chains at once, in closed form.

    A path converts by way of channel i with the probability of ever coming to i × that of converting from there. With
    N = (I − Q)⁻¹ the expected visits, these are (starts · N)ᵢ / Nᵢᵢ and (N · r)ᵢ.
    """
    size = starts.shape[-1]
    chances = ratio(rows, rows.sum(axis=-1, keepdims=True))
    visits = np.linalg.solve(np.eye(size) - chances[..., :size], np.broadcast_to(np.eye(size), (len(rows), size, size)))
    converting = np.einsum("dij,dj->di", visits, chances[..., size])
    first = ratio(starts, starts.sum(axis=-1, keepdims=True))
    ever = ratio(np.einsum("di,dij->dj", first, visits), np.einsum("dii->di", visits))
    whole = np.einsum("di,di->d", first, converting)[:, None]
    return np.clip(ratio(ever * converting, whole), 0, 1)
