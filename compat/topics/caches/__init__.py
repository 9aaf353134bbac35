"""What a later compilation, or a later process, makes of what was compiled before."""
