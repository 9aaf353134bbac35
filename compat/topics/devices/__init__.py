"""What only a GPU can be asked, and where it differs from a CPU."""
