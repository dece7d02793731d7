"""Charts of the weekly conveyor: the past on its band, the weeks to come as a fan, and what holds the process back."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_money, format_number, format_share, format_value

_COLUMNS = 2
_FLOW = "lever_lead_flow"
# A gain below this part of the largest is nothing to be read off a chart.
_NOTHING = 0.001
BAND_TEXT = "pale band: 90 of 100 draws of one week"


def plot_past(past: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Per quantity a small panel (`ax.child_axes`): the observed weeks as a line on the band that the weekly model gives for them.

    `past` is `improvement.past_by_week(process)`; weeks outside the band are marked.
    """
    about, quantities = about_of(past), list(dict.fromkeys(past["quantity"]))
    with style.drawn():
        ax, panels = _panels(ax, quantities)
        for panel, quantity in zip(panels, quantities, strict=True):
            own = past[past["quantity"] == quantity]
            panel.fill_between(own["week_start"], own["band_low"], own["band_high"], color=style.SKY, alpha=0.3, linewidth=0)
            panel.plot(own["week_start"], own["band_middle"], color=style.SKY, linewidth=1.2)
            panel.plot(own["week_start"], own["observed"], color=style.INK, linewidth=1.1)
            outside = own[~own["inside"].astype(bool)]
            panel.plot(outside["week_start"], outside["observed"], "D", color=style.VERMILION, markersize=4)
            held = f"{len(own) - len(outside)} of {len(own)} weeks inside"
            panel.set_title(f"{_name(quantity, about)} · {held}", fontsize=9.5, loc="left")
            _finish(panel, quantity, about)
            panel.xaxis.set_major_locator(_few_dates())
        _label_weeks(panels)
        inside, every = int(past["inside"].sum()), len(past)
        style.title(ax, f"{format_count(inside, about.language)} of {format_count(every, about.language)} observed weeks lie in "
                    "the 90 % band of the weekly model",
                    f"dark line: observed, marks: outside · {BAND_TEXT} · by chance one week of ten lies outside", about)
        return ax


def plot_forecast(forecast: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Per quantity a small panel (`ax.child_axes`): what the weeks to come add up to, the middle of the draws and the 90 % band.

    `forecast` is `improvement.conveyor_forecast(process)`.
    """
    about, quantities = about_of(forecast), list(dict.fromkeys(forecast["quantity"]))
    last = forecast.groupby("quantity", sort=False).last()
    with style.drawn():
        ax, panels = _panels(ax, quantities)
        for panel, quantity in zip(panels, quantities, strict=True):
            own = forecast[forecast["quantity"] == quantity]
            weeks = np.concatenate([[0], own["week"]])
            low, middle, high = (np.concatenate([[0.0], own[f"so_far_{name}"]]) for name in ("low", "middle", "high"))
            panel.fill_between(weeks, low, high, color=style.SKY, alpha=0.3, linewidth=0)
            panel.plot(weeks, middle, color=style.BLUE, linewidth=1.8)
            panel.set_title(f"{_name(quantity, about)} · {_between(last.loc[quantity], quantity, about)}", fontsize=9.5, loc="left")
            panel.set_xlim(0, weeks[-1])
            _finish(panel, quantity, about)
        for panel in panels[-_COLUMNS:]:
            panel.set_xlabel("weeks from today", fontsize=9)
        main = "margin_amount" if "margin_amount" in quantities else "customers_count"
        count = format_count(forecast["week"].max(), about.language)
        style.title(ax, f"The next {count} weeks bring {_between(last.loc[main], main, about)} "
                    f"of {_name(main, about).lower()} if nothing is changed" if main == "margin_amount" else
                    f"The next {count} weeks bring {_between(last.loc[main], main, about)} customers if nothing is changed",
                    "added up since today · line: middle of the draws, pale band: 90 of 100 of them", about)
        return ax


def plot_binding_constraint(constraint: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of what a tenth more of the flow, of each step's rate and of each role's hours would bring in the next 52 weeks.

    `constraint` is `improvement.binding_constraint(process)`; customers where no margin is known. Roles that bind are dark red.
    """
    about = about_of(constraint)
    in_money = constraint["gained_amount"].notna().any()
    values = constraint["gained_amount" if in_money else "gained_customers_count"].to_numpy(dtype=float)
    values = np.where(np.abs(values) < _NOTHING * np.abs(values).max(), 0.0, values)
    texts = [format_money(value, about.language, about.currency) if in_money else format_number(value, about.language)
             for value in values]
    used = [f" · {format_share(row.used_share, about.language)} of hours used" if row.kind == "role" else ""
            for row in constraint.itertuples()]
    with style.drawn():
        ax = style.new_axes(ax, 1.5 + 0.42 * len(constraint))
        limits = [constraint[name] if in_money else None for name in ("gained_low_amount", "gained_high_amount")]
        style.bars(ax, [_candidate(row, about) for row in constraint.itertuples()], values,
                   colours=[_paint(row) for row in constraint.itertuples()], low=limits[0], high=limits[1],
                   texts=[text + use for text, use in zip(texts, used, strict=True)])
        left, right = ax.get_xlim()
        ax.set_xlim(left, right + 0.25 * (right - left))
        if in_money:
            style.money_axis(ax, "change of the margin of the next 52 weeks", about)
        else:
            ax.set_xlabel("customers more in the next 52 weeks")
            ax.grid(axis="x")
        style.title(ax, _constraint_headline(constraint, texts[0], about),
                    "by the weekly model, each with a tenth more room while the others stay, 95 % limits", about)
        return ax


def _constraint_headline(constraint: pd.DataFrame, gain: str, about: About) -> str:
    first, binding = constraint.iloc[0], constraint[constraint["holds_back"].astype(bool)]
    more = gain if constraint["gained_amount"].notna().any() else f"{gain} customers"
    if first["kind"] == "role":
        return f"The hours of “{about.label(first['place'])}” hold the process back: a tenth more brings {more} in 52 weeks"
    what = "the flow of leads" if first["kind"] == _FLOW else f"the step “{about.label(first['place'])}”"
    if len(binding):
        names = ", ".join(f"“{about.label(place)}”" for place in binding["place"])
        return f"Most is to be had from {what} ({more} in 52 weeks), though work waits for {names}"
    return f"No work waits for anybody's hours; most is to be had from {what}: {more} in 52 weeks for a tenth more"


def _candidate(row: object, about: About) -> str:
    if row.kind == _FLOW:
        return about.label(_FLOW)
    return f"{about.label('step' if row.kind == 'step' else 'role')}: {about.label(row.place)}"


def _paint(row: object) -> str:
    return style.VERMILION if row.holds_back else {_FLOW: style.ORANGE, "step": style.BLUE}.get(row.kind, style.GREY)


def _panels(ax: Axes | None, quantities: list[str]) -> tuple[Axes, list[Axes]]:
    rows = -(-len(quantities) // _COLUMNS)
    ax = style.new_axes(ax, 1.2 + 1.9 * rows)
    ax.axis("off")
    return ax, [ax.inset_axes((0.08 + 0.5 * (number % _COLUMNS), 1 - (number // _COLUMNS + 0.84) / rows, 0.42, 0.64 / rows))
                for number in range(len(quantities))]


def _name(quantity: str, about: About) -> str:
    return about.labels.get(quantity, term(quantity).label(about.language))


def _between(row: pd.Series, quantity: str, about: About) -> str:
    unit = term(quantity).unit
    low, high = (format_value(row[f"so_far_{name}"], unit, about.language, about.currency) if unit == "amount"
                 else format_count(round(row[f"so_far_{name}"]), about.language) for name in ("low", "high"))
    return f"{low} to {high}"


def _finish(panel: Axes, quantity: str, about: About) -> None:
    amounts = term(quantity).unit == "amount"
    panel.yaxis.set_major_formatter(lambda value, _: format_money(value, about.language, about.currency) if amounts
                                    else format_number(value, about.language))
    panel.yaxis.get_major_locator().set_params(nbins=4)
    panel.tick_params(labelsize=9)
    panel.grid(axis="y")
    low, high = panel.get_ylim()
    panel.set_ylim(min(low, 0), high)


def _few_dates() -> object:
    from matplotlib.dates import AutoDateLocator

    return AutoDateLocator(minticks=2, maxticks=4)


def _label_weeks(panels: list[Axes]) -> None:
    for panel in panels[-_COLUMNS:]:
        panel.set_xlabel("week", fontsize=9)
