"""What was seen: records, streams and merging."""
