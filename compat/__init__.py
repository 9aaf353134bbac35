"""Measured compatibility of PyTorch builds with the compiler interface that downstreams call."""

__version__ = "0.1.0"
