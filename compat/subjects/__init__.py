"""Whose compiler interface is run: what people ship, put beside a build and driven inside it."""
