"""What lies beside a build leaves its torch as it is, or is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.errors import UsageError
from compat.subjects.packages import required, would_replace


def test_a_lock_is_taken_without_what_is_the_builds_own(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(
        "# made by a tool\n--index-url https://example.org\n"
        "einops==0.8.1 \\\n    --hash=sha256:00\n"
        "torch==2.12.1\ntriton==3.6.0 ; sys_platform == 'linux'\nnvidia-cublas==13.0\n"
        "numpy==2.1.0  # because\n"
    )
    assert required(["scipy>=1"], [lock]) == ("scipy>=1", "einops==0.8.1", "numpy==2.1.0")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("torch==2.12", "each build is asked with its own"), ("not a requirement", "expected a req")],
)
def test_what_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        required([text], [])


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        required([], [tmp_path / "gone.txt"])


def package(folder: Path, name: str, *requires: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    lines = [f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {each}" for each in requires)]
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *lines, "", ""]))


@pytest.mark.parametrize(
    ("requirement", "torch", "refused"),
    [
        ("torch>=2.10", "2.15.0+cu132", False),
        ("torch", "2.16.0.dev20261120+cpu", False),
        ("torch>=2.13.0.dev0", "2.16.0.dev20261120+cpu", False),
        ("torch==2.14.*", "2.15.0+cpu", True),
        ("torch<2.15", "2.15.0", True),
        ('torch==2.0; extra == "old"', "2.15.0", False),
        ("torchvision==0.1", "2.15.0", False),
    ],
)
def test_a_package_that_wants_another_torch(
    requirement: str, torch: str, refused: bool, tmp_path: Path
) -> None:
    package(tmp_path, "fine", "numpy")
    package(tmp_path, "picky", requirement)
    said = would_replace(tmp_path, torch)
    assert bool(said) is refused
    if refused:
        assert said.startswith("picky 1.0 requires torch")
        assert said.endswith(f"would replace the build's torch {torch}")


def test_a_package_that_brings_a_torch(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    assert "brings a torch of its own" in would_replace(tmp_path, "2.15.0")
