"""The customers to come as a fan against the plan."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_moment, format_number


def plot_customer_forecast(forecast: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """New customers of the next weeks, added up: the expected line, a dark band for half of the cases and a pale one for 95 of 100.

    `forecast` is `lead_flow.customer_forecast(process)`; a dashed line is the plan, dots what today's running leads give.
    """
    about = about_of(forecast)
    last = forecast.iloc[-1]
    weeks = np.concatenate([[0], forecast["week"]])
    lines = {name: np.concatenate([[0], forecast[name]]) for name in forecast if name.endswith("_count")}
    has_plan = forecast["planned_count"].notna().all()
    with style.drawn():
        ax = style.new_axes(ax, 3.8)
        ax.fill_between(weeks, lines["expected_low_count"], lines["expected_high_count"], color=style.SKY, alpha=0.25, linewidth=0)
        ax.fill_between(weeks, lines["half_from_count"], lines["half_to_count"], color=style.SKY, alpha=0.5, linewidth=0)
        ax.plot(weeks, lines["expected_count"], color=style.BLUE, linewidth=2)
        ax.plot(weeks, lines["from_running_count"], color=style.VERMILION, linewidth=1.6, linestyle=":")
        ends = [(last["expected_count"], weeks[-1], about.say("expected"), style.BLUE),
                (last["from_running_count"], weeks[-1], about.say("of today's leads"), style.VERMILION)]
        if has_plan:
            ax.plot(weeks, lines["planned_count"], color=style.INK, linewidth=1.4, linestyle="--")
            ends.append((last["planned_count"], weeks[-1], about.say("plan"), style.INK))
        style.end_labels(ax, ends, lambda value: format_number(value, about.language))
        shown = forecast[(last["week"] - forecast["week"]) % 3 == 0]
        ax.set_xticks(shown["week"], [format_moment(day, about.language) for day in shown["week_end"]])
        ax.set_xlim(0, weeks[-1])
        ax.set_ylim(0, max(lines["expected_high_count"].max(), lines["planned_count"].max() if has_plan else 0, 1) * 1.05)
        style.number_axis(ax, term("expected_count").label(about.language), about, "y")
        style.title(ax, _headline(last, has_plan, about),
                    about.say("customers since today, added up · dark band: half of the cases, pale: 95 of 100"), about)
        return ax


def _headline(last: pd.Series, has_plan: bool, about: About) -> str:
    weeks, low, high = (format_count(last[name], about.language) for name in ("week", "expected_low_count", "expected_high_count"))
    come = about.plural(last["week"], "In {weeks} week {low} to {high} new customers will have come",
                        "In {weeks} weeks {low} to {high} new customers will have come", weeks=weeks, low=low, high=high)
    if not has_plan:
        return come
    planned = format_number(last["planned_count"], about.language)
    if last["expected_low_count"] > last["planned_count"]:
        return about.say("{come}: more than the {planned} planned", come=come, planned=planned)
    if last["expected_high_count"] < last["planned_count"]:
        return about.say("{come}: fewer than the {planned} planned", come=come, planned=planned)
    return about.say("{come}; the plan of {planned} lies between", come=come, planned=planned)
