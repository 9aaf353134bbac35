"""What a run means: gates, workarounds, agreement, and what is unexpected."""
