"""What if, by hand: sliders over the levers in JupyterLab, with the yearly margin before and after beside them."""

from __future__ import annotations

from typing import Any

from funnel_lib import improvement
from funnel_lib.answers.sentence import Speaker
from funnel_lib.company import Process
from funnel_lib.errors import CallError, MeasureError
from funnel_lib.improvement.parameters import chain_of
from funnel_lib.improvement.vocabulary import SHARES, lever_of
from funnel_lib.improvement.what_if import places_of, what_if_of
from funnel_lib.language.messages import message, translate

# Shares move in points, everything else relatively; both in steps that a reader can set by hand.
POINTS, PARTS = 0.2, 0.5
POINT_STEP, PART_STEP = 0.005, 0.01
MOST_SLIDERS = 12


def what_if_sliders(process: Process, most: int = MOST_SLIDERS) -> Any:
    """A box with a slider for each of the strongest levers, and a sentence with the result that follows every move.

    The result is `improvement.what_if` of all sliders together. Only for JupyterLab: a rendered report shows no sliders.
    Raises `CallError` without the package ipywidgets (`pip install "funnel-lib[lab]"`), and as `improvement.levers`.
    """
    try:
        import ipywidgets as widgets  # an extra: only JupyterLab has sliders
    except ImportError as error:
        raise CallError(message('{name}: expected the package {package}; install it by `pip install "funnel-lib[lab]"`, or write '
                                "the change in code: {code}", name="what_if_sliders", package="ipywidgets",
                                code="improvement.what_if(process, lead_flow=0.1)")) from error
    say, result = Speaker(process), widgets.HTML()
    table = improvement.levers(process).head(most)
    sliders = {row.lever: _slider(widgets, say, row) for row in table.itertuples()}

    def show(_: Any = None) -> None:
        result.value = result_text(process, {lever: slider.value for lever, slider in sliders.items()})

    for slider in sliders.values():
        slider.observe(show, names="value")
    show()
    return widgets.VBox([*sliders.values(), result])


def result_text(process: Process, moved: dict[str, float]) -> str:
    """The yearly margin before and after these changes (lever as company.yaml writes it → change), in a sentence."""
    say, places = Speaker(process), places_of(process, chain_of(process))
    try:
        found = what_if_of(process, {lever_of(lever, places): change for lever, change in moved.items() if change})
    except MeasureError as error:
        return translate(error.args[0], process.language)
    gain = found.difference
    return say("Yearly margin: {before} → {after}, a change of {change} (95 % interval {range}).",
               before=say.money(found.before.amount), after=say.money(found.after.amount), change=say.money(gain.amount),
               range=say.range(gain.low_amount, gain.high_amount, "amount"))


def _slider(widgets: Any, say: Speaker, row: Any) -> Any:
    lever = say.label(row.moves)
    if row.place != "all":
        lever = say("{lever}: {place}", lever=lever, place=say.label(row.place))
    is_share = row.lever.partition(".")[0] in SHARES
    reach, step = (POINTS, POINT_STEP) if is_share else (PARTS, PART_STEP)
    return widgets.FloatSlider(value=0.0, min=-reach, max=reach, step=step, readout_format="+.1%",
                               description=say("{lever}, points", lever=lever) if is_share else say("{lever}, part", lever=lever),
                               continuous_update=False,
                               style={"description_width": "22em"}, layout={"width": "44em"})
