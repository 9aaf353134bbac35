"""The issues that a machine keeps on GitHub."""
