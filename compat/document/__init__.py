"""The parts that a report is made of: views make them, :mod:`compat.report` shows them."""
