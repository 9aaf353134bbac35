"""Runs the probes inside a build's own environment: forks, limits, warm-up, records out."""
