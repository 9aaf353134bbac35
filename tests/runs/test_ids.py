"""Ids: printed and parsed in one place, and one is the inverse of the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compat.runs.ids import (
    BUILTIN,
    DEVICES,
    AnswerId,
    BuildId,
    CellId,
    CheckId,
    InvalidIdError,
)

PART = st.integers(0, 99).map(str)
SUFFIX = st.sampled_from(["", "rc1", ".dev20261122", "+cu130", ".dev20261122+cpu", "-py3"])
VERSIONS = st.builds("{}.{}.{}{}".format, PART, PART, PART, SUFFIX) | st.just("nightly")
# The folder of an environment may have any name.
LOCAL = st.text(min_size=1).filter(lambda text: "]@" not in text).map("local-{}".format)
PYTHONS = st.sampled_from(["", "3.10", "3.14"])
BUILDS = st.builds(BuildId.of, VERSIONS, st.sampled_from(DEVICES), PYTHONS) | st.builds(
    BuildId.of, LOCAL, st.sampled_from(DEVICES)
)
WORDS = st.from_regex(r"[a-z_]+", fullmatch=True)
PROBES = st.builds("{}.{}".format, WORDS, WORDS)
CHECKS = st.builds(CheckId.of, PROBES, st.dictionaries(WORDS, st.text(), max_size=3))
SUBJECTS = st.just(BUILTIN) | st.from_regex(r"[a-z]+-[0-9]+\.[0-9]+\.[0-9]+", fullmatch=True)


@given(VERSIONS, st.sampled_from(DEVICES), PYTHONS)
def test_a_build_gives_its_parts_back(name: str, device: str, python: str) -> None:
    build = BuildId.of(name, device, python)
    assert (build.name, build.device, build.python) == (name, device, python)
    assert BuildId(str(build)) == build


@given(LOCAL, st.sampled_from(DEVICES))
def test_a_local_build_is_called_as_its_folder_whatever_that_is(name: str, device: str) -> None:
    build = BuildId.of(name, device)
    assert (build.name, build.device, build.python) == (name, device, "")


@given(PROBES, st.dictionaries(WORDS, st.text(), max_size=3))
def test_a_check_gives_its_parts_back(probe: str, params: dict[str, str]) -> None:
    check = CheckId.of(probe, params)
    assert (check.probe, check.arguments) == (probe, "-".join(params.values()))


@given(CHECKS, WORDS)
def test_an_answer_gives_its_parts_back(check: CheckId, name: str) -> None:
    answer = AnswerId.of(check, name)
    assert (answer.check, answer.name) == (check, name)


@given(CHECKS, BUILDS, SUBJECTS)
def test_a_cell_gives_its_parts_back(check: CheckId, build: BuildId, subject: str) -> None:
    cell = CellId.of(check, build, subject)
    assert (cell.check, cell.build, cell.subject) == (check, build, subject)


PIECES = [*"[]@:.-\n", "a.b", "2.13.0", "-py3.10", "-cpu", "local-", "builtin"]
TEXTS = st.text() | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("kind", "again"),
    [
        (BuildId, lambda build: BuildId.of(build.name, build.device, build.python)),
        (CheckId, lambda check: CheckId.of(check.probe, _arguments_of(check))),
        (AnswerId, lambda answer: AnswerId.of(answer.check, answer.name)),
        (CellId, lambda cell: CellId.of(cell.check, cell.build, cell.subject)),
    ],
)
@given(text=TEXTS)
@example(text="a.b[]")
@example(text="a.b[]@b]@2.13.0-py3.10-cpu")
@example(text="a:a.b[:]@local--py3.10-cpu-cpu")
def test_whatever_a_text_is_it_is_refused_or_made_of_its_parts(
    kind: Callable[[str], Any], again: Callable[[Any], str], text: str
) -> None:
    try:
        found = kind(text)
    except InvalidIdError:
        return
    assert found == text
    assert again(found) == found


def _arguments_of(check: CheckId) -> dict[str, str]:
    return {"all": check.arguments} if "[" in check else {}


@pytest.mark.parametrize(
    ("text", "name", "python", "device", "label"),
    [
        ("2.13.0-cpu", "2.13.0", "", "cpu", "2.13.0"),
        ("2.13.0-cuda", "2.13.0", "", "cuda", "2.13.0 cuda"),
        ("2.13.0-py3.10-cuda", "2.13.0", "3.10", "cuda", "2.13.0-py3.10 cuda"),
        ("local-mine-cpu", "local-mine", "", "cpu", "local-mine"),
        ("local-torch-py3.10-cpu", "local-torch-py3.10", "", "cpu", "local-torch-py3.10"),
        ("2.16.0.dev20261122+cu130-cuda", "2.16.0.dev20261122+cu130", "", "cuda", None),
    ],
)
def test_what_a_build_is_made_of(
    text: str, name: str, python: str, device: str, label: str | None
) -> None:
    build = BuildId(text)
    assert (build.name, build.python, build.device) == (name, python, device)
    assert label in {None, build.label}
    assert build.line == (device, python)


def test_a_subject_stands_in_front_and_builtin_is_left_out() -> None:
    check = CheckId("parity.outputs[mlp-float32-static-standalone]")
    build = BuildId("2.13.0-cpu")
    assert CellId.of(check, build) == "parity.outputs[mlp-float32-static-standalone]@2.13.0-cpu"
    theirs = CellId.of(check, build, "vllm-0.33.0")
    assert theirs == "vllm-0.33.0:parity.outputs[mlp-float32-static-standalone]@2.13.0-cpu"
    assert (theirs.subject, theirs.check, theirs.build) == ("vllm-0.33.0", check, build)
    assert CellId("a.b@2.13.0-cpu").subject == BUILTIN


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (BuildId, "2.13.0", "a build and its device"),
        (BuildId, "2.13.0-tpu", "a build and its device"),
        (BuildId, "-cpu", "a build and its device"),
        (BuildId, "2.13.0-cpu\n", "a build and its device"),
        (CheckId, "donation", "a probe"),
        (CheckId, "donation.copies[aot", "a probe"),
        (CheckId, "donation.copies.copies", "a probe"),
        (CheckId, "donation.copies[aot]\n", "a probe"),
        (AnswerId, "donation.copies", "an answer of a check"),
        (AnswerId, "donation.copies[aot]", "an answer of a check"),
        (CellId, "donation.copies[aot]", "a check on a build"),
        (CellId, "@2.13.0-cpu", "a check on a build"),
        (CellId, "donation.copies@2.13.0", "a check on a build"),
        (CellId, "builtin:donation.copies@2.13.0-cpu", "a check on a build"),
        (CellId, "a b:donation.copies@2.13.0-cpu", "a check on a build"),
    ],
)
def test_what_is_none_is_refused_in_one_line(
    kind: Callable[[str], str], text: str, expected: str
) -> None:
    with pytest.raises(InvalidIdError, match=f"expected {expected}") as caught:
        kind(text)
    assert repr(text) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
