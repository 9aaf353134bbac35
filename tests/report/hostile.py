"""Texts that an exception could have."""

from __future__ import annotations

HOSTILE = {
    "markup": "<script>alert(1)</script><b onclick='alert(2)'>x</b>",
    "end of a script": "</script><img src=x onerror=alert(3)> ' \\' \\u0027",
    "markdown": "| **x** `y` [z](http://e.invalid) # head",
    "control characters": "a\x00b\x07c\x1b[31md\x7fe\u2028f\ud800",
    "direction": "\u202egnp.exe \u05e9\u05dc\u05d5\u05dd",
    "very long": "x" * 20_000,
    "like an address": "a&cell=b#compare=c..d%zz+e",
}
HOSTILE_TEXTS = tuple(HOSTILE.values())
