"""What the compiler interfaces that people ship do on each build, and what reaches torch."""
