"""What help, README and docs tell people to type is understood, and what only reads works."""

from __future__ import annotations

import re
import shlex
from itertools import takewhile
from pathlib import Path

import pytest

from compat import cli
from compat.cli import EXAMPLES, _parser, parse, subparsers
from compat.errors import EXPECTED, UNEXPECTED
from compat.runs.reference import load_latest
from tests.conftest import ROOT
from tests.published import PUBLISHED

# These read what is published and change nothing.
READING = ("probes", "compare", "advise", "explain", "audit")
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def commands_in(path: Path) -> list[str]:
    """The lines of a file's shell examples that call this project, comments left out."""
    found = []
    for block in re.findall(
        r"^```sh\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE
    ):
        lines = block.replace("\\\n", " ").splitlines()
        found += [line for line in lines if line.startswith(("compat ", "nox -s "))]
    return found


def words_of(command: str) -> list[str]:
    """What ``compat`` gets: ``nox -s bisect -- …`` calls the command of the session's name."""
    words = list(takewhile(">".__ne__, shlex.split(command, comments=True)))
    if words[0] == "compat":
        return words[1:]
    session, *rest = words[2:]
    return [session, *rest[1:]]


TYPED = [
    *EXAMPLES.values(),
    *commands_in(ROOT / "README.md"),
    *(
        command
        for page in sorted((ROOT / "docs").glob("*.md"))
        for command in commands_in(page)
        if words_of(command)[0] in {name.partition(" ")[0] for name in EXAMPLES}
    ),
]


def test_every_command_has_an_example_that_is_its_own() -> None:
    commands = subparsers(_parser())
    assert commands.keys() == EXAMPLES.keys()
    for name, command in commands.items():
        assert f"Example: compat {name} "[:-1] in command.format_help()


@pytest.mark.parametrize("command", dict.fromkeys(TYPED))
def test_what_people_are_told_to_type_is_understood(command: str) -> None:
    assert parse(words_of(command)).command


def reading() -> list[str]:
    """Those that can be answered from what is published; a day goes when its night is forgotten."""
    commands = [*EXAMPLES.values(), *commands_in(ROOT / "README.md")]
    return [
        command
        for command in {tuple(words_of(command)): command for command in commands}.values()
        if words_of(command)[0] in READING
        and not _DAY.search(command)
        and "vllm==" not in command.partition("audit")[2]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("command", reading())
def test_what_only_reads_works_on_what_is_published(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "reports").symlink_to(PUBLISHED / "reports")
    (tmp_path / "compat").symlink_to(ROOT / "compat")
    monkeypatch.chdir(tmp_path)
    assert load_latest(Path("reports/latest/run.json")).cells
    assert cli.main(words_of(command)) in {EXPECTED, UNEXPECTED}
    said = capsys.readouterr()
    assert said.out
    assert not said.err
