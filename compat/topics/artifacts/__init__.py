"""What becomes of saved artifacts: reloaded, damaged, moved, or another build's."""
