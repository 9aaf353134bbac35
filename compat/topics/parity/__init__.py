"""Whether all paths compute the same numbers."""
