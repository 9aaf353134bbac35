"""What the runner saves against the plain way, measured."""
