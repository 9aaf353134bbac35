"""What a source tree asks of torch, by its syntax alone, and what the matrix knows of that."""
