"""What a compilation costs."""
