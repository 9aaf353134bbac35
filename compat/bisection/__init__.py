"""From which build on a check answers otherwise."""
