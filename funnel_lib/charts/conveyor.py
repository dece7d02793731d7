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
            held = about.say("{inside} of {weeks} weeks inside", inside=len(own) - len(outside), weeks=len(own))
            panel.set_title(f"{_name(quantity, about)} · {held}", fontsize=9.5, loc="left")
            _finish(panel, quantity, about)
            style.date_axis(panel, about, 4)
        for panel in panels[-_COLUMNS:]:
            panel.set_xlabel(about.say("week"), fontsize=9)
        inside, every = int(past["inside"].sum()), len(past)
        style.title(ax, about.say("{inside} of {every} observed weeks lie in the 90 % band of the weekly model",
                                  inside=format_count(inside, about.language), every=format_count(every, about.language)),
                    about.say("dark line: observed, marks: outside · pale band: 90 of 100 draws of one week · by chance one week "
                              "of ten lies outside"), about)
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
            panel.set_xlabel(about.say("weeks from today"), fontsize=9)
        margin = about.say("margin before spending and labour") if "margin_amount" in last.index else ""
        style.title(ax, _forecast_headline(forecast, last, about), style.dotted(
            about.say("added up since today · line: middle of the draws, pale band: 90 of 100 of them"), margin), about)
        return ax


def _forecast_headline(forecast: pd.DataFrame, last: pd.DataFrame, about: About) -> str:
    weeks = int(forecast["week"].max())
    count = format_count(weeks, about.language)
    if "margin_amount" in last.index:
        return about.plural(weeks, "The next {count} week brings {between} of {what} if nothing is changed",
                            "The next {count} weeks bring {between} of {what} if nothing is changed", count=count,
                            between=_between(last.loc["margin_amount"], "margin_amount", about),
                            what=_name("margin_amount", about).lower())
    return about.plural(weeks, "The next {count} week brings {between} customers if nothing is changed",
                        "The next {count} weeks bring {between} customers if nothing is changed", count=count,
                        between=_between(last.loc["customers_count"], "customers_count", about))


def plot_binding_constraint(constraint: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of what a tenth more of the flow, of each step's rate and of each role's hours would bring in the next 52 weeks.

    `constraint` is `improvement.binding_constraint(process)`; customers where no margin is known. Roles that bind are dark red.
    """
    about = about_of(constraint)
    in_money = constraint["gained_amount"].notna().any()
    values = constraint["gained_amount" if in_money else "gained_customers_count"].to_numpy(dtype=float)
    values = np.where(np.abs(values) < _NOTHING * np.abs(values).max(), 0.0, values)
    gains = [format_money(value, about.language, about.currency) if in_money else format_number(value, about.language)
             for value in values]
    texts = [about.say("{gain} · {share} of hours used", gain=gain, share=format_share(row.used_share, about.language))
             if row.kind == "role" else gain for gain, row in zip(gains, constraint.itertuples(), strict=True)]
    with style.drawn():
        ax = style.new_axes(ax, 1.5 + 0.42 * len(constraint))
        limits = [constraint[name] if in_money else None for name in ("gained_low_amount", "gained_high_amount")]
        style.bars(ax, [_candidate(row, about) for row in constraint.itertuples()], values,
                   colours=[_paint(row) for row in constraint.itertuples()], low=limits[0], high=limits[1],
                   texts=texts)
        left, right = ax.get_xlim()
        ax.set_xlim(left, right + 0.25 * (right - left))
        if in_money:
            style.money_axis(ax, about.say("change of the margin of the next 52 weeks"), about)
        else:
            style.number_axis(ax, about.say("customers more in the next 52 weeks"), about)
        gain = gains[0] if in_money else about.plural(values[0], "{gain} customer", "{gain} customers", gain=gains[0])
        style.title(ax, _constraint_headline(constraint, gain, about),
                    about.say("by the weekly model, each with a tenth more room while the others stay, 95 % limits"), about)
        return ax


def _constraint_headline(constraint: pd.DataFrame, gain: str, about: About) -> str:
    first, binding = constraint.iloc[0], constraint[constraint["holds_back"].astype(bool)]
    place, roles = about.label(first["place"]), style.quoted(binding["place"], about)
    if first["kind"] == "role":
        return about.say("The hours of “{role}” hold the process back: a tenth more brings {more} in 52 weeks", role=place,
                         more=gain)
    if first["kind"] == _FLOW:
        return (about.say("Most is to be had from the flow of leads ({more} in 52 weeks), though work waits for {roles}", more=gain,
                          roles=roles) if roles else
                about.say("No work waits for anybody's hours; most is to be had from the flow of leads: {more} in 52 weeks for a "
                          "tenth more", more=gain))
    return (about.say("Most is to be had from the step “{step}” ({more} in 52 weeks), though work waits for {roles}", step=place,
                      more=gain, roles=roles) if roles else
            about.say("No work waits for anybody's hours; most is to be had from the step “{step}”: {more} in 52 weeks for a tenth "
                      "more", step=place, more=gain))


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
    return about.say("{low} to {high}", low=low, high=high)


def _finish(panel: Axes, quantity: str, about: About) -> None:
    amounts = term(quantity).unit == "amount"
    panel.yaxis.set_major_formatter(lambda value, _: format_money(value, about.language, about.currency) if amounts
                                    else format_number(value, about.language))
    panel.yaxis.get_major_locator().set_params(nbins=4)
    panel.tick_params(labelsize=9)
    panel.grid(axis="y")
    low, high = panel.get_ylim()
    panel.set_ylim(min(low, 0), high)

