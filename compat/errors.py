"""Errors that end a command with one line."""

from __future__ import annotations


class CommandError(Exception):
    """The message is what the user is told; ``status`` is what the command exits with."""

    status = 1


class UsageError(CommandError):
    """The user asked for something that cannot be; the message says what was expected."""

    status = 2


class BuildsFileError(UsageError):
    """The file that lists the builds cannot be read."""
