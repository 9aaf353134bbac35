"""A script over sixty nightlies, most of which the index no longer lists, by the user's command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from compat.builds.memory import NightlyMemory
from tests.builds.index_server import IndexServer, serve
from tests.fake_torch import commit_of, name_of, wheel
from tests.sabotaged_build import Place

pytestmark = pytest.mark.slow

NIGHTLIES = [f"2.16.0.dev2026{9 + day // 30:02}{day % 30 + 1:02}+cpu" for day in range(60)]
FIRST_BAD = 13
# What is asked early, and both neighbours of the first bad one.
GONE = [NIGHTLIES[29], NIGHTLIES[14], NIGHTLIES[FIRST_BAD - 1]]
BROKEN = [NIGHTLIES[7], NIGHTLIES[45]]
LISTED = 20

# 125 says that it cannot tell.
SCRIPT = f"""
import sys
import torch

day = {NIGHTLIES!r}.index(torch.__version__)
if day == 10:
    sys.exit(125)
if day == 11:
    raise OSError("something else")
if day >= {FIRST_BAD}:
    raise RuntimeError(f"the wanted failure at {{hex(id(sys))}}")
"""


@dataclass(frozen=True, kw_only=True)
class Setting:
    place: Place
    server: IndexServer
    file: Path

    def bisect(self, *options: str) -> tuple[int, str, str]:
        ended = self.place.compat(
            *("bisect", "--script", "repro.py", "--device", "cpu"),
            *("--builds-file", str(self.file), *options),
        )
        return ended.returncode, ended.stdout, ended.stderr


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    folder = tmp_path_factory.mktemp("script")
    (folder / "repro.py").write_text(SCRIPT)
    files = {name_of(each): wheel(each) for each in NIGHTLIES if each not in GONE}
    files |= {name_of(each): b"no wheel" for each in BROKEN}
    pages = {"/nightly/cpu": list(map(name_of, NIGHTLIES))}
    with serve(IndexServer(pages, files=files)) as server:
        file = folder / "builds.toml"
        file.write_text(
            f'builds = ["2.13"]\n[index]\npytorch = "{server.address}"\ntimeout_s = 9\n'
        )
        place = Place(folder)
        # All of them are listed once; then the index forgets the older ones.
        place.compat("builds", "--builds-file", str(file), "--builds", "nightly", "--device", "cpu")
        pages["/nightly/cpu"] = list(map(name_of, NIGHTLIES[-LISTED:]))
        yield Setting(place=place, server=server, file=file)


def day(number: int) -> str:
    return f"nightly:{NIGHTLIES[number].partition('.dev')[2].partition('+')[0]}"


@pytest.mark.timeout(3600)
def test_past_what_is_gone_and_what_is_broken(setting: Setting) -> None:
    status, said, problem = setting.bisect(
        "--good", day(0), "--bad", day(59), "--signature", "the wanted failure"
    )
    assert (status, problem) == (0, "")
    text = (setting.place.folder / "reports" / "bisect.md").read_text()
    good, bad = NIGHTLIES[9], NIGHTLIES[FIRST_BAD]
    assert f"**`repro.py` on cpu: since {bad}.**".replace("_", r"\_") in text.replace("\\+", "+")
    assert f"compare/{commit_of(good)}...{commit_of(bad)}" in text
    assert "the wanted failure at 0x…" in text
    # Neither is told apart: one cannot tell, one fails otherwise, one is gone.
    between = next(line for line in text.splitlines() if "not told apart" in line)
    for number in (10, 11, 12):
        assert NIGHTLIES[number].replace("+", "\\+") in between
    asked = next(line for line in text.splitlines() if NIGHTLIES[29].replace("+", "\\+") in line)
    assert "is gone: its address answered 404" in asked.replace("\\", "")
    assert "What else differs in the surface that is watched: nothing" in text
    for end in (good, bad):
        assert f"compat run --builds '=={end}' --device cpu --alone --fresh" in text or (
            f"compat run --builds =={end} --device cpu --alone --fresh" in text
        )
    assert "--with" not in said

    # With the newer end alone, the older one is found, and what was seen is not seen again.
    installed = len(setting.server.asked)
    status, said, problem = setting.bisect("--bad", day(59), "--signature", "the wanted failure")
    assert (status, problem) == (0, "")
    again = (setting.place.folder / "reports" / "bisect.md").read_text()
    assert again.splitlines()[0] == text.splitlines()[0]
    assert len(setting.server.asked) > installed

    remembered = NightlyMemory(setting.place.folder / ".compat" / "nightlies.json").all()
    assert [each.version for each in remembered] == NIGHTLIES
    assert len([each for each in remembered if each.sha256]) >= 6


def test_ends_that_are_not_what_they_are_said_to_be(setting: Setting) -> None:
    status, _, problem = setting.bisect(
        "--good", day(59), "--bad", day(0), "--signature", "the wanted failure", "--find-fix"
    )
    assert status == 2
    assert "was to be bad, and it passes" in problem
    status, _, problem = setting.bisect("--good", day(0), "--bad", day(29), "--signature", "x")
    assert status == 2
    assert "says nothing: could not be installed" in problem
    assert len(problem.splitlines()) == 1
