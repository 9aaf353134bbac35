"""What builds, checks, cells and answers are called: the one place that prints and parses each.

An id is the text that people type and grep, with its parts at hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from typing_extensions import Self

BUILTIN = "builtin"
DEVICES = ("cpu", "cuda")
# What subjects are called that are a user's script or suite.
SUITE = "suite-"

# The environment of a local build is called as its folder, which may have any name.
_LOCAL = "local-"
_BUILD = re.compile(
    r"(?P<name>local-.+|.+?(?=-py3\.\d+-|-cpu$|-cuda$))"
    r"(?:-py(?P<python>3\.\d+))?-(?P<device>cpu|cuda)",
    re.DOTALL,
)
_CHECK = re.compile(r"(?P<probe>\w+\.\w+)(?:\[(?P<arguments>.*)\])?", re.DOTALL)
# Of a check that answers for several names, an answer's name ends with the one that it is about.
ANSWER_NAME = r"\w+(?:\.\w+)*"
_ANSWER = re.compile(rf"(?P<check>\w+\.\w+(?:\[.*\])?)\.(?P<name>{ANSWER_NAME})", re.DOTALL)
# A cell of the builtin subject is called in one way only: without it.
_CELL = re.compile(
    r"(?!builtin:)(?:(?P<subject>[\w.+-]+):)?(?P<check>\w+\.\w+(?:\[.*\])?)"
    r"@(?P<build>.+-(?:cpu|cuda))",
    re.DOTALL,
)


class InvalidIdError(ValueError):
    """A text is not an id of the kind that was expected."""


class _Id(str):
    """A text of which a pattern gives the parts."""

    _pattern: re.Pattern[str]
    _expected: str
    _parts: Mapping[str, str]

    def __new__(cls, text: str) -> Self:
        made: Self = _taken_apart(cls, text)
        return made


_I = TypeVar("_I", bound=_Id)


@cache
def _taken_apart(kind: type[_I], text: str) -> _I:
    """The one id of a kind with this text: every build is asked the same checks."""
    match = kind._pattern.fullmatch(text)
    if match is None:
        raise InvalidIdError(f"expected {kind._expected}, not {text!r}")
    made = str.__new__(kind, text)
    made._parts = match.groupdict("")
    return made


class BuildId(_Id):
    """One PyTorch on one device: ``2.13.0-cpu``, ``2.13.0-py3.10-cuda``, ``local-mine-cpu``."""

    _pattern = _BUILD
    _expected = "a build and its device, such as 2.13.0-cpu or 2.13.0-py3.10-cuda"

    @classmethod
    def of(cls, name: str, device: str, python: str = "") -> Self:
        """From its parts; ``python`` is empty where it is the project's own."""
        return cls(f"{name}-py{python}-{device}" if python else f"{name}-{device}")

    @property
    def name(self) -> str:
        """Its version, or what it was asked for as where no version is known."""
        return self._parts["name"]

    @property
    def python(self) -> str:
        """The Python that it was asked for under; empty for the project's own."""
        return self._parts["python"]

    @property
    def device(self) -> str:
        return self._parts["device"]

    @property
    def name_and_python(self) -> str:
        """Without the device: what builds of one device are told apart by."""
        return f"{self.name}-py{self.python}" if self.python else self.name

    @property
    def label(self) -> str:
        """As people read it: the device stands there where it is not the CPU."""
        name = self.name_and_python
        return name if self.device == "cpu" else f"{name} {self.device}"

    @property
    def line(self) -> tuple[str, str]:
        """Device and Python: only builds that share both are compared or put in an order."""
        return (self.device, self.python)


class CheckId(_Id):
    """A probe with its parameters' values: ``parity.outputs[mlp-float32-static-aot]``."""

    _pattern = _CHECK
    _expected = "a probe, with its parameters' values if it has any, such as donation.copies[aot]"

    @classmethod
    def of(cls, probe: str, params: Mapping[str, str]) -> Self:
        return cls(f"{probe}[{'-'.join(params.values())}]" if params else probe)

    @property
    def probe(self) -> str:
        return self._parts["probe"]

    @property
    def arguments(self) -> str:
        """The values, joined; which belongs to which parameter cannot be told from them."""
        return self._parts["arguments"]


class AnswerId(_Id):
    """What a check says about one thing: ``donation.copies[donated].copies``."""

    _pattern = _ANSWER
    _expected = "an answer of a check, such as donation.copies[donated].copies"

    @classmethod
    def of(cls, check: CheckId, name: str) -> Self:
        return cls(f"{check}.{name}")

    @cached_property
    def check(self) -> CheckId:
        return CheckId(self._parts["check"])

    @property
    def name(self) -> str:
        return self._parts["name"]


class CellId(_Id):
    """A check on a build: ``donation.copies[aot]@2.13.0-cpu``, ``vllm-0.33.0:…`` of a subject."""

    _pattern = _CELL
    _expected = "a check on a build, such as donation.copies[aot]@2.13.0-cpu"

    @classmethod
    def of(cls, check: CheckId, build: BuildId, subject: str = BUILTIN) -> Self:
        return cls(f"{check}@{build}" if subject == BUILTIN else f"{subject}:{check}@{build}")

    @property
    def subject(self) -> str:
        return self._parts["subject"] or BUILTIN

    @cached_property
    def check(self) -> CheckId:
        return CheckId(self._parts["check"])

    @cached_property
    def build(self) -> BuildId:
        return BuildId(self._parts["build"])
