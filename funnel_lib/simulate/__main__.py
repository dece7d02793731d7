"""Draws the true rates anew and prints the constants of ``truth.py``: ``python -m funnel_lib.simulate``."""

import sys

from funnel_lib.simulate.profiles import KINDS
from funnel_lib.simulate.stories import draw_company
from funnel_lib.simulate.truth import DRAWN_LEADS, draw_base, draw_truth


def constants() -> str:
    """Python text of ``BASE_RATES`` and ``COMPANY_RATES``."""
    lines = []
    for name, source in (("BASE_RATES", draw_base), ("COMPANY_RATES", draw_company)):
        lines.append(f"{name} = {{")
        for process in KINDS:
            rates = draw_truth(process, source(process), DRAWN_LEADS)
            lines.append(f'    "{process.kind}": {{')
            lines.append(f'        "step_shares": {rates["step_shares"]},')
            lines.append(f'        "overall_shares": {rates["overall_shares"]},')
            lines.append(f'        "eventual_share": {rates["eventual_share"]}, '
                         f'"largest_standard_error_share": {rates["largest_standard_error_share"]}}},')
        lines.append("}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(constants())
