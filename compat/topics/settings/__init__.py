"""The environment variables that choose a path."""
