"""Hiding Dynamo's tracing context from compile_fx: needed, working, clean."""
