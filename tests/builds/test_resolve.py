from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

import pypi_simple
import pytest
from packaging.version import Version

from compat.builds import index
from compat.builds import resolve as resolving
from compat.builds.index import Indexes
from compat.builds.page import fetch_links
from compat.builds.resolve import Resolution, resolve
from compat.builds.spec import OWN_PYTHON, parse_spec
from compat.errors import UsageError
from tests.builds.index_server import IndexServer, serve

TAG = f"cp{sys.version_info.major}{sys.version_info.minor}"


def wheel(version: str, tag: str = f"{TAG}-{TAG}-linux_x86_64") -> str:
    return f"torch-{version}-{tag}.whl"


NIGHTLY_CPU = [
    wheel("2.13.0.dev20260419+cpu"),
    wheel("2.13.0.dev20260420+cpu"),
    wheel("2.14.0.dev20260729+cpu"),
    wheel("2.14.0.dev20260730+cpu", "cp39-cp39-linux_x86_64"),
]
PAGES = {
    "/nightly/cpu": NIGHTLY_CPU,
    "/nightly": [
        *NIGHTLY_CPU,
        wheel("2.14.0.dev20260729+cu130"),
        wheel("2.14.0.dev20260729+cu132"),
        wheel("2.14.0.dev20260729+rocm7.2"),
    ],
    # A candidate is called by the version that it is to become; 2.12.0 has become it.
    "/test/cpu": [wheel("2.12.0+cpu"), wheel("2.12.0rc4+cpu"), wheel("2.13.0+cpu")],
    "/cpu": [wheel("2.12.0+cpu"), wheel("2.12.1+cpu"), wheel("2.11.0+cpu")],
}
RELEASED = [
    wheel("2.11.0"),
    wheel("2.12.0"),
    wheel("2.12.1"),
    wheel("2.13.0", "cp39-cp39-win_amd64"),
]


@pytest.fixture(autouse=True)
def _platform(monkeypatch: pytest.MonkeyPatch) -> None:
    # The host's own platform tags, so that the pages fit every machine that runs the tests.
    from packaging.tags import Tag

    monkeypatch.setattr(index, "_supported", lambda _: {Tag(TAG, TAG, "linux_x86_64")})
    # In one process, which is faster; tests/builds/test_page.py reads them in their own.
    monkeypatch.setattr(index, "read_links", fetch_links)


def resolve_all(
    texts: Sequence[str], server: IndexServer, monkeypatch: pytest.MonkeyPatch, device: str = "cpu"
) -> list[Resolution]:
    with serve(server), serve(IndexServer({"": RELEASED})) as default:
        monkeypatch.setattr(pypi_simple, "PYPI_SIMPLE_ENDPOINT", default.address)
        return resolve([parse_spec(text) for text in texts], Indexes(server.address, 1.0), device)


@pytest.mark.parametrize(
    ("text", "version", "channel"),
    [
        ("2.12", "2.12.1+cpu", "stable"),
        ("==2.12.0", "2.12.0+cpu", "stable"),
        ("2.13.dev", "2.13.0.dev20260420+cpu", "nightly"),
        ("2.12.rc", "2.12.0rc4+cpu", "test"),
        ("2.13.rc", "2.13.0+cpu", "test"),
        ("==2.13.0", "2.13.0+cpu", "test"),
        ("==2.13.0+cpu", "2.13.0+cpu", "test"),
        ("2.11.rc", "2.11.0+cpu", "stable"),
        ("nightly", "2.14.0.dev20260729+cpu", "nightly"),
        ("nightly:20260419", "2.13.0.dev20260419+cpu", "nightly"),
        ("==2.13.0.dev20260420", "2.13.0.dev20260420+cpu", "nightly"),
    ],
)
def test_spec_to_wheel(
    text: str, version: str, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = resolve_all([text], IndexServer(PAGES), monkeypatch)
    assert found.wheel is not None, found.problem
    assert (str(found.wheel.version), found.wheel.channel) == (version, channel)
    assert found.wheel.index is not None
    assert found.wheel.index.endswith("/cpu")


def test_dev_falls_back_to_a_release_candidate_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (found,) = resolve_all(["2.12.dev"], IndexServer(PAGES), monkeypatch)
    assert found.wheel is not None
    assert found.id("cpu").name == "2.12.0rc4+cpu"
    assert found.note == "2.12.dev: release candidate, no nightly left"


def test_dev_whose_pre_releases_are_gone_is_the_release_under_both_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (found,) = resolve_all(["2.11", "2.11.dev"], IndexServer(PAGES), monkeypatch)
    assert [str(spec) for spec in found.specs] == ["2.11", "2.11.dev"]
    assert found.id("cpu").name == "2.11.0+cpu"
    assert found.note == "2.11.dev: the release; the index has no pre-release of it"


def test_a_candidate_that_was_released_is_the_release(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {**PAGES, "/cpu": [*PAGES["/cpu"], wheel("2.13.0+cpu")]}
    both, *others = resolve_all(["2.13.rc", "2.13"], IndexServer(pages), monkeypatch)
    assert not others
    assert both.channel == "stable"
    assert both.note == "2.13.rc: the release; the index has no pre-release of it"


def test_a_candidate_of_the_same_name_may_be_another_one() -> None:
    candidate = index.IndexedWheel(
        version=Version("2.13.0+cpu"), channel="test", filename="", url="", sha256="", index=None
    )
    assert candidate.may_be_replaced
    assert not replace(candidate, sha256="known").may_be_replaced
    assert not replace(candidate, channel="nightly").may_be_replaced


def test_a_silent_index_costs_one_time_out_and_only_what_needs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = IndexServer(PAGES, delay_s=1.5)
    nightly, series, dev = resolve_all(["nightly", "2.12", "2.13.dev"], server, monkeypatch)
    assert nightly.wheel is None
    assert nightly.problem == "the index for it is not reachable: no answer within 1 s"
    assert series.id("cpu").name == "2.12.1"
    assert series.wheel is not None
    assert series.wheel.index is None, "the default index stands in"
    assert dev.wheel is None
    assert dev.problem.startswith("PyTorch's index could not be asked for pre-releases")
    assert dev.problem.endswith("and no 2.13 is released")
    assert len(server.asked) == 1


def test_an_index_out_of_order_is_not_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = resolve_all(["nightly"], IndexServer(PAGES, status=503), monkeypatch)
    assert found.problem == "the index for it is not reachable: answered 503"


@pytest.mark.parametrize("text", ["2.99", "==2.12.9"])
def test_what_was_never_released_is_the_users_mistake(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"are 2\.11 … 2\.12\.1") as raised:
        resolve_all([text], IndexServer(PAGES), monkeypatch)
    assert repr(text) in str(raised.value)


@pytest.mark.parametrize("text", ["nightly:20200101", "2.99.dev", "2.99.rc"])
def test_what_no_index_lists_is_a_problem_and_no_crash(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = resolve_all([text], IndexServer(PAGES), monkeypatch)
    assert found.wheel is None
    assert found.problem


@pytest.mark.parametrize(
    ("driver", "variant"), [("CUDA Version: 13.0 ", "cu130"), ("CUDA Version: 13.4 ", "cu132")]
)
def test_cuda_takes_the_newest_variant_that_the_driver_runs(
    driver: str, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = int(driver.split()[2].replace(".", ""))
    monkeypatch.setattr(resolving, "_driver_cuda", lambda: number)
    (found,) = resolve_all(["nightly"], IndexServer(PAGES), monkeypatch, device="cuda")
    assert found.wheel is not None
    assert found.wheel.variant == variant


def test_a_build_under_another_python_has_a_name_of_its_own() -> None:
    wheel = index.IndexedWheel(
        version=Version("2.13.0"),
        channel="stable",
        filename="torch-2.13.0-cp310-cp310-linux_x86_64.whl",
        url="",
        sha256="",
        index=None,
        python="3.9",
    )
    assert Resolution(specs=(), wheel=wheel).id("cpu").name_and_python == "2.13.0-py3.9"
    own = replace(wheel, python=OWN_PYTHON)
    assert Resolution(specs=(), wheel=own).id("cpu").name == "2.13.0"
