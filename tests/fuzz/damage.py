"""Damages files as a broken disk or an attacker would; the same for the same number."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence

# Of what nox -s fuzz takes, see noxfile.py.
A_PART = 1_000


def how_many() -> int:
    """How many inputs each reader gets."""
    return int(os.environ.get("COMPAT_FUZZ", A_PART))


def damaged(seeds: Sequence[bytes], pieces: Sequence[bytes], count: int) -> Iterator[bytes]:
    """``count`` inputs: each one of ``seeds`` with a few things done to it.

    Args:
        seeds: Whole files.
        pieces: What is put into them: the words of their format, and numbers at its edges.
        count: How many.
    """
    for number in range(count):
        chance = random.Random(number)
        data = chance.choice(seeds)
        for _ in range(chance.choice((1, 1, 2, 4, 8))):
            data = _damage(chance, data, seeds, pieces)
        yield data[: 1 << 20]


def _damage(
    chance: random.Random, data: bytes, seeds: Sequence[bytes], pieces: Sequence[bytes]
) -> bytes:
    start = chance.randint(0, len(data))
    end = min(len(data), start + chance.choice((1, 2, 8, 64, 512)))
    before, here, after = data[:start], data[start:end], data[end:]
    match chance.randrange(8):
        case 0:  # cut short
            here, after = b"", b""
        case 1:  # a hole
            here = b""
        case 2:  # zeros, as after a loss of power
            here = bytes(len(here))
        case 3:  # noise
            here = chance.randbytes(len(here))
        case 4:  # one bit
            here = bytes([here[0] ^ 1 << chance.randrange(8)]) + here[1:] if here else b""
        case 5:  # said again and again
            here *= chance.choice((2, 16, 256))
        case 6:  # something of the format where it does not belong
            here = chance.choice(pieces) + chance.choice((b"", here))
        case _:  # the beginning of one and the end of another
            here, after = b"", chance.choice(seeds)[start:]
    return before + here + after
