"""What to test: from a spec to one exact wheel and its environment."""
