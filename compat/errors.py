"""Errors that end a command with one line and exit status 2."""

from __future__ import annotations


class UsageError(Exception):
    """The user asked for something that cannot be; the message says what was expected."""


class BuildsFileError(UsageError):
    """The file that lists the builds cannot be read."""
