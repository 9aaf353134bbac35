"""Nightlies that the index forgets are remembered, and their hashes hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from compat.builds import index
from compat.builds.environment import InstallError, _requirement
from compat.builds.index import IndexedWheel, Indexes
from compat.builds.memory import NightlyMemory, check
from compat.builds.page import fetch_links
from compat.builds.resolve import resolve
from compat.builds.spec import parse_spec
from compat.errors import UsageError
from tests.builds.index_server import IndexServer, serve
from tests.fake_torch import name_of

NIGHTLIES = [f"2.16.0.dev202611{day}+cpu" for day in (20, 21, 22)]


@pytest.fixture(autouse=True)
def _in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    # Which is faster; tests/builds/test_page.py reads pages in their own.
    monkeypatch.setattr(index, "read_links", fetch_links)


def indexes(server: IndexServer, memory: NightlyMemory) -> Indexes:
    return Indexes(server.address, 5.0, memory=memory)


def versions(server: IndexServer, memory: NightlyMemory, *specs: str) -> list[str]:
    found = resolve([parse_spec(each) for each in specs], indexes(server, memory), "cpu")
    return [str(each.wheel.version) if each.wheel else each.problem for each in found]


def test_what_is_no_longer_listed_can_be_asked_for_and_is_never_the_newest(tmp_path: Path) -> None:
    memory = NightlyMemory(tmp_path / "here" / "nightlies.json")
    with serve(IndexServer({"/nightly/cpu": list(map(name_of, NIGHTLIES))})) as server:
        assert versions(server, memory, "nightly") == NIGHTLIES[-1:]
        # Two have left, the newest one among them: it was taken back.
        server.pages = {"/nightly/cpu": [name_of(NIGHTLIES[1])]}
        assert versions(server, memory, "nightly", "2.16.dev") == NIGHTLIES[1:2]
        specs = ["nightly:20261120", f"=={NIGHTLIES[2]}"]
        assert versions(server, memory, *specs) == [NIGHTLIES[0], NIGHTLIES[2]]
    assert [each.version for each in memory.all()] == NIGHTLIES
    assert all(each.url.endswith(each.filename) for each in memory.all())


def test_others_memory_is_read_and_not_written(tmp_path: Path) -> None:
    own, published = tmp_path / "own.json", tmp_path / "published.json"
    with serve(IndexServer({"/nightly/cpu": list(map(name_of, NIGHTLIES))})) as server:
        versions(server, NightlyMemory(published), "nightly")
        before = published.read_bytes()
        server.pages = {"/nightly/cpu": []}
        memory = NightlyMemory(own, published)
        assert versions(server, memory, "nightly:20261121") == [NIGHTLIES[1]]
        memory.learn({name_of(NIGHTLIES[1]): "a" * 64})
    assert published.read_bytes() == before
    assert [each.sha256 for each in memory.all()] == ["", "a" * 64, ""]
    # The first hash holds.
    memory.learn({name_of(NIGHTLIES[1]): "b" * 64})
    assert memory.all()[1].sha256 == "a" * 64


def test_another_file_under_a_name_that_was_seen_is_refused(tmp_path: Path) -> None:
    name = name_of(NIGHTLIES[0])
    with serve(IndexServer({}, files={name: b"another one"})) as server:
        wheel = IndexedWheel(
            version=Version(NIGHTLIES[0]),
            channel="nightly",
            filename=name,
            url=f"{server.address}/files/{name}",
            sha256="",
            index=None,
            seen_sha256="0" * 64,
            is_listed=False,
        )
        with pytest.raises(InstallError, match="another wheel of that name"):
            _requirement(wheel, tmp_path)
        with pytest.raises(InstallError, match="is gone: its address answered 404"):
            _requirement(replace(wheel, url=f"{server.address}/files/none.whl"), tmp_path)


def test_a_damaged_file_is_as_good_as_none_here_and_refused_where_it_is_published(
    tmp_path: Path,
) -> None:
    file = tmp_path / "nightlies.json"
    file.write_text("[{}]")
    assert NightlyMemory(file).all() == []
    with pytest.raises(UsageError):
        check(file)
