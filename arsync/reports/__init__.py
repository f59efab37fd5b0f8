"""What people are told: read-only, each report with as-of date, basis, completeness and control totals."""
