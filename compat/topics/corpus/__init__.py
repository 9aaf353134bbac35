"""Whether graphs that once went wrong are right."""
