"""What each command of ``compat`` does; it is imported when it is called."""
