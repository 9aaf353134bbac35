"""Whether a refusal says what is wrong. The standard library only: probes import it."""

from __future__ import annotations

from compat.topics.artifacts.records import Load

# What Python raises by itself where code finds other data than it was written for, and what a C++
# compiler makes of generated code that is damaged: nobody refused anything, something tripped.
# UnpicklingError is not among these: pickle raises it to say that the data is damaged.
ACCIDENTS = frozenset(
    {
        "AttributeError",
        "CppCompileError",  # torch._inductor.exc
        "EOFError",
        "ImportError",
        "IndexError",
        "KeyError",
        "MemoryError",
        "ModuleNotFoundError",
        "NameError",
        "OverflowError",
        "RecursionError",
        "SyntaxError",
        "TypeError",
        "UnboundLocalError",
        "UnicodeDecodeError",
        "error",  # of struct and of zlib
    }
)


def refusal(raised: str, message: str) -> Load:
    """How clearly an exception of the type ``raised`` refuses an artifact.

    A refusal is clear if it was raised on purpose and says something: up to 2.13 torch asserts
    that an artifact's key is its own and says nothing, from 2.14 on it says that the keys differ
    (``CompiledArtifact.load`` in torch._inductor.standalone_compile). What it says is not judged:
    that stands in the report.
    """
    clear = bool(message.strip()) and raised not in ACCIDENTS
    return Load.REFUSED if clear else Load.REFUSED_UNCLEARLY
