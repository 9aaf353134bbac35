from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

import pytest

from compat.builds.spec import parse_spec
from compat.cli import _parser
from compat.probes.names import check_selection
from compat.report.repeat import RepeatCommands, repeat_command, whole_command
from compat.runs.ids import CellId
from compat.runs.model import Build, Cell, Pair, Status, Subject
from tests.conftest import make_build, make_cell, make_run

LOCAL = "python:/home/a b/my-pytorch's/bin/python"


def pasted(command: str) -> Sequence[str]:
    """What a shell makes of it, without ``nox -s matrix --``."""
    words = shlex.split(command)
    assert words[:4] == ["nox", "-s", "matrix", "--"]
    return words[4:]


@pytest.mark.parametrize(
    ("build", "specs", "python"),
    [
        (make_build("2.13.0"), ["==2.13.0"], []),
        (make_build("2.13.0-py3.10"), ["==2.13.0"], ["3.10"]),
        (make_build("2.16.0.dev20261121", channel="nightly"), ["==2.16.0.dev20261121"], []),
        # Of the folders of the machine that ran, no command names any.
        (
            make_build("local-my-pytorch's", channel="local", requested=LOCAL),
            ["python:/path/to/local-my-pytorch's"],
            [],
        ),
        (
            make_build("local-a", channel="local", requested=LOCAL, version="2.13.0+cu130"),
            ["==2.13.0"],
            [],
        ),
        (
            make_build("local-a", channel="local", requested=LOCAL, version="2.13.0a0+git0123abc"),
            ["python:/path/to/local-a"],
            [],
        ),
        (make_build("nightly", channel="", status=Status.UNAVAILABLE), ["nightly"], []),
    ],
)
def test_it_is_understood_when_pasted(build: Build, specs: list[str], python: list[str]) -> None:
    params = {"name": "torch._guards:tracing it's `x` $HOME"}
    cell = make_cell(build.id.name_and_python, "surface.name", params=params)
    command = repeat_command(cell, make_run([build], [cell]))
    parsed = _parser().parse_args(["probe", *pasted(command)])
    assert parsed.builds == specs
    assert [parse_spec(spec).text for spec in parsed.builds] == specs
    assert parsed.probes == [cell.check]
    assert (parsed.device, parsed.depth, parsed.fresh) == ("cpu", "full", True)
    assert python in ([], parsed.python)
    check_selection(parsed.probes)


def test_a_build_as_a_whole_is_repeated_with_all_its_probes() -> None:
    run = make_run([make_build("2.13.0")], [])
    parsed = _parser().parse_args(
        ["probe", *pasted(RepeatCommands(run)[CellId("build.whole@2.13.0-cpu")])]
    )
    assert (parsed.builds, parsed.probes) == (["==2.13.0"], [])


def test_what_another_build_saved_needs_both() -> None:
    cell: Cell = make_cell("2.13.0", "artifacts.across", params={"kind": "a", "saved_by": "2.12.1"})
    builds = [make_build("2.12.1"), make_build("2.13.0"), make_build("2.14.1")]
    parsed = _parser().parse_args(
        ["probe", *pasted(repeat_command(cell, make_run(builds, [cell])))]
    )
    assert parsed.builds == ["==2.12.1", "==2.13.0"]


def test_a_cell_of_a_subject_names_it() -> None:
    cell: Cell = make_cell("2.13.0", "subject.compiled", params={"path": "aot"})
    cell = replace(cell, subject="vllm-0.33.0")
    run = replace(
        make_run([make_build("2.13.0")], [cell]),
        subjects=(Subject(id=cell.subject, requested="vllm==0.33.0"),),
        pairs=(Pair(subject=cell.subject, build=cell.build, supported=True),),
    )
    for command in (
        repeat_command(cell, run),
        RepeatCommands(run)[CellId("vllm-0.33.0:build.whole@2.13.0-cpu")],
    ):
        parsed = _parser().parse_args(["matrix", *pasted(command)])
        assert (parsed.subject, parsed.builds) == (["vllm==0.33.0"], ["==2.13.0"])


def test_a_users_command_is_repeated_as_it_was_typed() -> None:
    requested = "--name mine -- pytest 'tests/a b.py::test_it'"
    subject = Subject(id="suite-mine", requested=requested)
    params = {"test": "tests/a b.py::test_it"}
    cell = make_cell("2.13.0", "suite.test", params=params, subject=subject.id)
    run = replace(make_run([make_build("2.13.0")], [cell]), subjects=(subject,))
    whole = whole_command(run, cell.build, subject.id)
    assert whole == f"compat run --builds ==2.13.0 --device cpu --alone --fresh {requested}"
    own = repeat_command(cell, run)
    for command, probes in ((whole, []), (own, [cell.check])):
        options, words = shlex.split(command)[1:], shlex.split(requested)[3:]
        parsed = _parser().parse_args(options[: options.index("--")])
        assert (parsed.builds, parsed.name, parsed.probes) == (["==2.13.0"], "mine", probes)
        assert options[options.index("--") + 1 :] == words
