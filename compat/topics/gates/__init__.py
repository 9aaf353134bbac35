"""Gate against capability, and the patches that stand in for a feature."""
