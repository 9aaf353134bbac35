"""What of a compilation reaches a downstream's code in it: passes, patches, pieces."""
