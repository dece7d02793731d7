"""Charts of what a client is worth: the value by age, and the model's check on weeks that it was not shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_duration, format_interval, format_money, format_share
from funnel_lib.rates import is_few, ratio

OBSERVED, EXPECTED = style.BLUE, style.VERMILION
MOST_TICKS = 13


def plot_holdout(holdout: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of the mean orders that came in the weeks held out, with 95 % limits, and diamonds that the model expected, by the
    number of orders before.

    `holdout` is `loyalty.holdout(process)`.
    """
    about = about_of(holdout)
    last = holdout["calibration_orders_count"].iloc[-1]
    places = np.arange(len(holdout))
    came = holdout["actual_mean_orders"].to_numpy(dtype=float)
    high = holdout["actual_mean_high_orders"].to_numpy(dtype=float)
    with style.drawn():
        ax = style.new_axes(ax, 3.6)
        for few, alpha in ((False, 0.8), (True, 0.4)):
            chosen = is_few(holdout["customers_count"]) == few
            ax.bar(places[chosen], came[chosen], width=0.62, color=OBSERVED, alpha=alpha, label=None if few else about.say("came"))
        ax.vlines(places, holdout["actual_mean_low_orders"], high, color=style.INK, linewidth=1.1)
        ax.plot(places, holdout["expected_mean_orders"], color=EXPECTED, marker="D", linestyle="none", markersize=7,
                markeredgecolor="white", label=about.say("expected by the model"))
        names = [f"{orders}+" if orders == last and last >= 7 else str(orders) for orders in holdout["calibration_orders_count"]]
        ax.set_xticks(places, [f"{name}\n({format_count(size, about.language)})"
                               for name, size in zip(names, holdout["customers_count"], strict=True)])
        # A few customers' wide interval must not flatten the rest.
        top = max(float(np.nanmax(came)), float(holdout["expected_mean_orders"].max()), 1e-9)
        ax.set_ylim(0, min(max(float(np.nanmax(high, initial=0.0)), top), 1.6 * top) * 1.12)
        ax.set_xlabel(about.say("orders after the first one, before these weeks (customers)"))
        style.number_axis(ax, about.say("orders per customer"), about, "y")
        ax.legend(loc="upper left")
        weeks = holdout["holdout_weeks"].iloc[0]
        below = about.plural(weeks, "the last {weeks} week, of which the model was told nothing; 95\N{NO-BREAK SPACE}% limits",
                             "the last {weeks} weeks, of which the model was told nothing; 95\N{NO-BREAK SPACE}% limits",
                             weeks=format_count(weeks, about.language))
        people = about.say("n = {customers} customers", customers=format_count(holdout["customers_count"].sum(), about.language))
        lighter = about.say("lighter: fewer than 30") if is_few(holdout["customers_count"]).any() else ""
        style.title(ax, _holdout_headline(holdout, weeks, about), style.dotted(below, people, lighter), about)
        return ax


def _holdout_headline(holdout: pd.DataFrame, weeks: float, about: About) -> str:
    expected, actual = holdout["expected_orders_count"].sum(), holdout["actual_orders_count"].sum()
    orders = about.plural(actual, "{count} order came", "{count} orders came", count=format_count(actual, about.language))
    text = about.plural(weeks, "In the last {weeks} week {orders_came}, {expected} were expected",
                        "In the last {weeks} weeks {orders_came}, {expected} were expected", orders_came=orders,
                        weeks=format_count(weeks, about.language), expected=format_count(round(expected), about.language))
    if not actual:
        return text
    off = float(ratio(expected - actual, actual))
    share = format_share(abs(off), about.language)
    return (about.say("{in_weeks}: {share} too many", in_weeks=text, share=share) if off > 0 else
            about.say("{in_weeks}: {share} too few", in_weeks=text, share=share))


def plot_lifetime(values: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The margin that a new customer has brought by each month since the first order, and by the model will have, with 95 % limits.

    `values` is `loyalty.value_by_age(process)`. Observed ages that fewer than 30 customers have reached are dashed.
    """
    about = about_of(values)
    months = values["since_first_months"].to_numpy(dtype=float)
    enough, modelled = ~values["few"].to_numpy(dtype=bool), values["expected_value_amount"].notna().all()
    with style.drawn():
        ax = style.new_axes(ax, 3.8)
        ends = []
        if modelled:
            _line(ax, months, values, "expected_value", EXPECTED, np.full(len(months), True), "-")
            ends.append((values["expected_value_amount"].iloc[-1], about.say("expected"), EXPECTED))
        _line(ax, months, values, "observed_value", OBSERVED, enough, "o-")
        ends.append((_last_observed(values)["observed_value_amount"], about.say("observed"), OBSERVED))
        ax.axhline(0, color=style.GREY, linewidth=0.8)
        _amount_axis(ax, values, enough, about)
        _end_labels(ax, ends, about)
        ax.set_xlim(0, months[-1])
        step = max(1, int(np.ceil(len(months) / MOST_TICKS)))
        ax.set_xticks(months[::step])
        ax.set_xlabel(term("since_first_months").label(about.language))
        below = about.say("discounted margin per new customer, added up; observed: mean of customers at least that old; "
                          "95\N{NO-BREAK SPACE}% limits")
        sure = enough[values["observed_value_amount"].notna()].all()
        dashed = "" if sure else about.say("dashed: fewer than 30 customers")
        people = f"n = {format_count(values['customers_count'].iloc[0], about.language)}"
        style.title(ax, _value_headline(values, modelled, about), style.dotted(below, dashed, people), about)
        return ax


def _line(ax: Axes, months: np.ndarray, values: pd.DataFrame, name: str, paint: str, enough: np.ndarray, marks: str) -> None:
    low, value, high = (values[f"{name}{side}_amount"].to_numpy(dtype=float) for side in ("_low", "", "_high"))
    ax.fill_between(months[enough], low[enough], high[enough], color=paint, alpha=0.16, linewidth=0)
    ax.plot(months, value, color=paint, linestyle="--", linewidth=1.0, alpha=0.7)
    ax.plot(months[enough], value[enough], marks, color=paint, markersize=3, linewidth=1.8)


def _amount_axis(ax: Axes, values: pd.DataFrame, enough: np.ndarray, about: About) -> None:
    """From the lowest to the highest value that rests on enough customers, or of all where none does."""
    shown = values[enough] if enough.any() else values
    names = [f"{kind}_value{side}_amount" for kind in ("observed", "expected") for side in ("", "_low", "_high")]
    heights = np.concatenate([shown[names[:3]].to_numpy(dtype=float).ravel(), values[names[3:]].to_numpy(dtype=float).ravel(),
                              values["observed_value_amount"].to_numpy(dtype=float), [0.0]])
    low, high = np.nanmin(heights), np.nanmax(heights)
    room = 0.08 * max(high - low, 1e-9)
    ax.set_ylim(low - (room if low < 0 else 0), high + room)
    ax.yaxis.set_major_locator(style.plt.MaxNLocator(5))
    ax.yaxis.set_major_formatter(lambda value, _: format_money(value, about.language, about.currency))
    ax.grid(axis="y")


def _end_labels(ax: Axes, ends: list[tuple[float, str, str]], about: About) -> None:
    """What each line is and where it ends, apart where they would overlap."""
    low, high = ax.get_ylim()
    before = -np.inf
    for height, name, paint in sorted(ends):
        at = max(height, before + 0.14 * (high - low))
        before = at
        ax.annotate(f"{name}\n{format_money(height, about.language, about.currency)}", (1.02, at),
                    xycoords=("axes fraction", "data"), color=paint, va="center", fontsize=9, annotation_clip=False)


def _last_observed(values: pd.DataFrame) -> pd.Series:
    """The last age that enough customers have reached, else the first visit."""
    enough = values[~values["few"].astype(bool)]
    return enough.iloc[-1] if len(enough) else values.iloc[0]


def _value_headline(values: pd.DataFrame, modelled: bool, about: About) -> str:
    kind, row = ("expected", values.iloc[-1]) if modelled else ("observed", _last_observed(values))
    low, value, high = (row[f"{kind}_value{side}_amount"] for side in ("_low", "", "_high"))
    said = {"money": format_money(value, about.language, about.currency),
            "months": format_duration(row["since_first_months"], "months", about.language)}
    if modelled:
        text = about.say("A new client brings about {money} of margin within {months} of the first order", **said)
    elif row["since_first_months"]:
        text = about.say("A new client has brought {money} of margin within {months} of the first order", **said)
    else:
        text = about.say("A new client has brought {money} of margin with the first order", money=said["money"])
    return text if low != low else f"{text} ({format_interval(low, high, 'amount', about.language, about.currency)})"
