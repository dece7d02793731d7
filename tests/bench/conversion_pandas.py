"""The counts behind the tables of notebook 02 as idiomatic pandas: merge, groupby, shift. Fewer tables than the other sides."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

AS_OF, WINDOW = pd.Timestamp("2026-07-01"), pd.Timedelta(days=180)
DAY = pd.Timedelta(days=1)
ORDER = {"contacted": 2, "meeting": 3, "proposal": 4, "lost": 5, "won": 6}


def counts(folder: Path) -> None:
    """Read the two files and count."""
    leads, events = (duckdb.read_parquet(str(folder / f"{name}.parquet")).df() for name in ("leads", "stage_events"))
    states = _states(leads, events)
    real = states[~states["never"]]
    mature = real[real["created_at"] <= AS_OF - WINDOW]
    for groups in ([], ["owner"], ["channel"], [mature["created_at"].dt.to_period("M")], ["channel", mature["created_at"].dt.date]):
        flags = pd.DataFrame({step: mature[step] <= mature["created_at"] + WINDOW for step in ("contacted", "proposal", "won")})
        _ = flags.sum() if not groups else flags.groupby([mature[by] if isinstance(by, str) else by for by in groups]).sum()
    real.groupby(["channel", "state"]).size()
    real.groupby(["channel", "state", "day"]).size()
    real.groupby([real["created_at"].dt.to_period("M"), "state", "day"]).size()
    real[real["state"] == "won"].groupby("channel")["age"].agg(["mean", "median"])
    real[real["state"] == "lost"].groupby("reason")["expected_amount"].agg(["size", "sum"])
    stays = _stays(real, events)
    moves = stays.dropna(subset="next_place")
    moves.groupby(["place", "next_place"]).agg(events=("lead_id", "size"), leads=("lead_id", "nunique"), days=("days", "median"))
    moves.assign(back=(moves["next_place"] <= moves["place"])).groupby("lead_id").agg({"back": "max", "next_place": "max"})
    running = stays[stays["next_place"].isna() & (stays["state"] == "running")]
    running.sort_values("expected_amount", ascending=False)
    moves[moves["state"] == "won"].groupby(["place", moves["days"].round()]).size()
    stays.groupby([stays["at"].dt.date, "place"]).size()


def _states(leads: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    first = events.pivot_table(index="lead_id", columns="step", values="entered_at", aggfunc="min")
    lost = events[events["step"] == "lost"].sort_values("entered_at").groupby("lead_id").last()
    stepped = events[events["step"] != "lost"].groupby("lead_id")["entered_at"].max()
    table = leads.merge(first[["contacted", "meeting", "proposal", "won"]], on="lead_id", how="left")
    table = table.merge(lost["entered_at"].rename("lost_at"), on="lead_id", how="left")
    table = table.merge(lost["reason"], on="lead_id", how="left").merge(stepped.rename("stepped_at"), on="lead_id", how="left")
    table["state"] = "running"
    table.loc[(table["lost_at"] >= table["stepped_at"]) | (table["lost_at"].notna() & table["stepped_at"].isna()), "state"] = "lost"
    table.loc[table["won"].notna(), "state"] = "won"
    end = table["won"].fillna(table["lost_at"].where(table["state"] == "lost")).fillna(AS_OF)
    table["age"] = (end - table["created_at"]) / DAY
    return table.assign(day=table["age"] // 1, never=(table["state"] == "lost") & (table["reason"] == "duplicate"))


def _stays(leads: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    entered = events.assign(place=events["step"].map(ORDER)).drop_duplicates(["lead_id", "place", "entered_at"])
    entered = entered.rename(columns={"entered_at": "at"})[["lead_id", "place", "at"]]
    start = leads[["lead_id"]].assign(place=0, at=leads["created_at"])
    every = pd.concat([entered, start]).merge(leads[["lead_id", "state", "expected_amount"]], on="lead_id")
    every = every.sort_values(["lead_id", "at", "place"])
    following = every.groupby("lead_id")[["place", "at"]].shift(-1)
    return every.assign(next_place=following["place"], days=(following["at"] - every["at"]) / DAY)
