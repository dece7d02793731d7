"""A sales company whose truth is known: for demonstration, training, and the trial of every measure."""

from funnel_lib.simulate.company import SimulatedCompany, make_company
from funnel_lib.simulate.leads import make_leads
from funnel_lib.simulate.truth import true_rates
from funnel_lib.simulate.writing import write_company

__all__ = ["SimulatedCompany", "make_company", "make_leads", "true_rates", "write_company"]
