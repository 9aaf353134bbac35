"""Takes builds through their probes: settings, host, launcher, progress."""
