"""Ways to break a build, a module for each kind of probe."""
