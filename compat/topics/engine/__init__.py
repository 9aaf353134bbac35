"""What a released engine says, whichever way it compiles."""
