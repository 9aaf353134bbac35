"""Workarounds that downstreams ship: needed, dead, and whether their gates fit."""
