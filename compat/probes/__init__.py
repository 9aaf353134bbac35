"""What is asked of a build, as pytest tests that run inside the build's own environment.

A test's module and function name it (``test_donation.py::test_copies`` is ``donation.copies``),
its docstring is its row's description in the report, its parameters are plain strings.
"""
