"""Whether what was compiled with gradients on trains, and can be kept."""
