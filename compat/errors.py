"""What a command ends with, and errors that end one with one line."""

from __future__ import annotations

# Nothing unexpected was seen, or something was: both of a command that did what it was asked.
EXPECTED = 0
UNEXPECTED = 1
# It was asked for what cannot be.
USAGE = 2
# It did not get it done: a defect of its own, or what it needs failed it.
FAILED = 3
# As a shell has it of a program that Ctrl-C ended.
INTERRUPTED = 130


# Of a message, which may quote what was read.
_LONGEST = 800


class CommandError(Exception):
    """The message is what the user is told; ``status`` is what the command exits with.

    It is one line, and what is very long is cut in its middle.
    """

    status = FAILED

    def __init__(self, message: str) -> None:
        line = " ".join(message.split())
        if len(line) > _LONGEST:
            line = f"{line[: _LONGEST // 2]} … {line[-_LONGEST // 2 :]}"
        super().__init__(line)


class UsageError(CommandError):
    """The user asked for something that cannot be; the message says what was expected."""

    status = USAGE


class BuildsFileError(UsageError):
    """The file that lists the builds cannot be read."""
