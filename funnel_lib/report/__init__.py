"""From notebooks to reports: units, rendering, pages, workbook, index, manifest. Imports no measure."""
