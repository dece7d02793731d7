"""A second way to the mean by age and its error: customer by customer in plain Python, for the tests."""

from __future__ import annotations

import numpy as np
import pandas as pd


def plain_curve(seen: dict, rows: pd.DataFrame, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customers followed to each month, the mean by then, its standard error (nothing for one customer, or customers all alike).

    `seen` has the months for which each customer was followed, `rows` what they brought (`customer_id`, `age`, `value`).
    """
    months = range(min(most, max(seen.values())) + 1)
    brought = rows.groupby(["customer_id", "age"])["value"].sum().to_dict()
    size = np.array([sum(until >= month for until in seen.values()) for month in months])
    mean = np.array([sum(brought.get((name, month), 0.0) for name, until in seen.items() if until >= month) / size[month]
                     for month in months])
    off = np.zeros(len(seen))
    errors = []
    for month in months:
        off += [(brought.get((name, month), 0.0) - mean[month]) / size[month] if until >= month else 0.0
                for name, until in seen.items()]
        square = (off**2).sum()
        told = size[month] > 1 and square > 1e-15
        errors.append(np.sqrt(square * size[month] / (size[month] - 1)) if told else np.nan)
    return size, np.cumsum(mean), np.array(errors)
