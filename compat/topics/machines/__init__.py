"""What becomes of compiled functions on machines, and in processes, that are odd."""
