"""What a compilation that fails leaves behind."""
