"""What a workflow's inputs choose, and which runs may be published."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from compat.errors import UsageError
from compat.nightly.actions import SELF_CHECK, Chosen, chosen, why_blind, why_unpublished

NIGHT = {
    "GITHUB_EVENT_NAME": "schedule",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REPOSITORY": "owner/name",
    "COMPAT_NIGHTLY": "on",
    "COMPAT_DEFAULT_BRANCH": "",
    "COMPAT_REPOSITORY": "owner/name",
}
BY_HAND = NIGHT | {"GITHUB_EVENT_NAME": "workflow_dispatch", "COMPAT_DEFAULT_BRANCH": "main"}


@pytest.mark.parametrize(
    "variables",
    [
        NIGHT,
        BY_HAND,
        NIGHT | {"COMPAT_REPOSITORY": ""},
        BY_HAND | {"COMPAT_DEVICE": "both", "COMPAT_DEPTH": "full"},
    ],
)
def test_whole_runs_of_the_default_branch_are_published(variables: Mapping[str, str]) -> None:
    assert why_unpublished(variables) == ""


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({}, "COMPAT_NIGHTLY is not on"),
        (NIGHT | {"COMPAT_NIGHTLY": "off"}, "COMPAT_NIGHTLY is not on"),
        (NIGHT | {"GITHUB_REPOSITORY": "a/caller"}, "the workflow is one of owner/name"),
        (BY_HAND | {"GITHUB_REF": "refs/heads/x"}, "refs/heads/x is not the default branch"),
        (BY_HAND | {"GITHUB_REF": "refs/tags/main"}, "refs/tags/main is not the default branch"),
        (BY_HAND | {"COMPAT_DEFAULT_BRANCH": ""}, "refs/heads/main is not the default branch"),
        *(
            (BY_HAND | {name: value}, "only some builds, some subjects or one device were chosen")
            for name, value in (
                ("COMPAT_BUILDS", "2.13"),
                ("COMPAT_SUBJECT", "builtin"),
                ("COMPAT_DEVICE", "cpu"),
            )
        ),
    ],
)
def test_no_other_run_is(variables: Mapping[str, str], reason: str) -> None:
    assert why_unpublished(variables) == reason


def test_what_is_chosen() -> None:
    assert chosen({}) == Chosen(builds=(), subjects=(), device="", depth="")
    variables = {
        "COMPAT_BUILDS": " 2.13  nightly",
        "COMPAT_SUBJECT": "builtin vllm==0.33.0",
        "COMPAT_DEVICE": "cuda",
        "COMPAT_DEPTH": "full",
    }
    assert chosen(variables) == Chosen(
        builds=("2.13", "nightly"),
        subjects=("builtin", "vllm==0.33.0"),
        device="cuda",
        depth="full",
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("COMPAT_DEVICE", "both or cpu or cuda"),
        ("COMPAT_DEPTH", "default or full"),
    ],
)
def test_what_is_no_choice(name: str, expected: str) -> None:
    with pytest.raises(UsageError, match=f"{name}: expected {expected}, not 'tpu'"):
        chosen({name: "tpu"})


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        ("success", ""),
        ("", ""),
        ("failure", "The self-check failed: "),
        ("cancelled", "The self-check was cancelled: "),
        ("skipped", "The self-check was skipped: "),
    ],
)
def test_a_night_is_blind_unless_the_self_check_passed(ended: str, reason: str) -> None:
    said = why_blind({SELF_CHECK: ended})
    assert bool(said) is bool(reason)
    assert said.startswith(reason)


def test_a_self_check_ends_as_a_job_does() -> None:
    with pytest.raises(UsageError):
        why_blind({SELF_CHECK: "<b>success</b>"})
