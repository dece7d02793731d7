"""A small funnel that is counted by hand: every edge once."""

from __future__ import annotations

import pandas as pd

STEPS = ["contacted", {"key": "meeting", "optional": True}, "proposal", "won"]
AS_OF = "2026-04-01"

LEADS = pd.DataFrame(
    [("straight", "2026-01-01", "site", 100.0), ("skipper", "2026-01-01", "site", 200.0), ("returner", "2026-01-02", "call", 300.0),
     ("tied", "2026-01-03", "call", 400.0), ("lost", "2026-01-04", None, 500.0), ("early", "2026-01-05", "site", 600.0),
     ("young", "2026-03-20", "call", 700.0), ("spam", "2026-01-06", "site", 800.0), ("backwards", "2026-01-07", "unknown", 900.0)],
    columns=["lead_id", "created_at", "channel", "expected_amount"])

EVENTS = pd.DataFrame(
    [("straight", "contacted", "2026-01-02", None), ("straight", "meeting", "2026-01-05", None),
     ("straight", "proposal", "2026-01-10", None), ("straight", "won", "2026-01-31", None),
     # No `contacted` and no `proposal` recorded, won on the last moment of a window of 30 days.
     ("skipper", "won", "2026-01-31", None),
     # Lost, came back, lost again, came back and still runs.
     ("returner", "contacted", "2026-01-03", None), ("returner", "lost", "2026-01-05", "no_need"),
     ("returner", "contacted", "2026-01-20", None), ("returner", "lost", "2026-01-25", "no_need"),
     ("returner", "proposal", "2026-02-25", None),
     # `lost` and a step on one moment: the loss comes after the step.
     ("tied", "contacted", "2026-01-04", None), ("tied", "proposal", "2026-01-08", None), ("tied", "lost", "2026-01-08", "price"),
     ("lost", "lost", "2026-01-06", None),
     # An event a day before its lead, and one whose time is unknown.
     ("early", "contacted", "2026-01-04", None), ("early", "proposal", None, None),
     ("young", "contacted", "2026-03-21", None),
     ("spam", "lost", "2026-01-06", "duplicate"),
     # The steps in the wrong order.
     ("backwards", "proposal", "2026-01-08", None), ("backwards", "contacted", "2026-01-10", None),
     ("backwards", "contacted", "2026-01-12", None)],
    columns=["lead_id", "step", "entered_at", "reason"])

TABLES = {"leads": LEADS, "stage_events": EVENTS}
SETTINGS = {"steps": STEPS, "as_of": AS_OF, "observed_from": "2026-01-01", "not_leads": ["duplicate"]}
