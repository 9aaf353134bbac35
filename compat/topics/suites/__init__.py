"""The topic: what users bring, a script or a suite, on each build beside its stable twin."""
