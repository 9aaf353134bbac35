"""The private names and parameters that the interface leans on."""
