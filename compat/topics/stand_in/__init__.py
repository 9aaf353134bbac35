"""What torch reads from the object that downstreams pass in the place of a ShapeEnv."""
