"""The compiler interface that is run inside each build.

It imports torch and nothing else of this project, so that it can be vendored on its own.
"""
