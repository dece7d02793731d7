"""From notebooks to reports: units, rendering, pages, workbook, index, manifest. Imports no measure."""

import sys

# A library under nbformat compiles a grammar of web addresses for 1.7 s, for a check that notebooks have no use for; it does
# without where the grammar's library is not installed.
sys.modules.setdefault("rfc3987_syntax", None)
