"""Purchase models of customers without a contract: BG/NBD for how often they come, gamma-gamma for how much they spend.

Maximum likelihood on grouped counts: customers who are alike are one row with a count. Times are in any one unit, weeks elsewhere
in this package.
"""

from __future__ import annotations

from funnel_lib.lifetime.bg_nbd import BgNbd, expected_purchases, fit_bg_nbd, probability_alive
from funnel_lib.lifetime.gamma_gamma import GammaGamma, expected_spend, fit_gamma_gamma

__all__ = ["BgNbd", "GammaGamma", "expected_purchases", "expected_spend", "fit_bg_nbd", "fit_gamma_gamma", "probability_alive"]
