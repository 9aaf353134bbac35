"""What GitHub and its workflows tell a step, and where GitHub takes something from one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compat.errors import UsageError
from compat.runs.model import DEPTHS

# Where a GPU is found.
GPU_RUNNER = "COMPAT_GPU_RUNNER"
# How the job of the self-check ended, as GitHub calls it.
SELF_CHECK = "COMPAT_SELFCHECK"
# The files that GitHub gives a step to write into.
OUTPUT = "GITHUB_OUTPUT"
SUMMARY = "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What somebody who started the matrix by hand chose; empty where nothing was."""

    builds: tuple[str, ...]
    subjects: tuple[str, ...]
    device: str
    depth: str


def chosen(variables: Mapping[str, str]) -> Chosen:
    """What a workflow's inputs say, which reach a step as environment variables.

    Raises:
        UsageError: One of them is none of its choices.
    """

    def choice(name: str, *choices: str) -> str:
        value = variables.get(name, "")
        if value not in {"", *choices}:
            raise UsageError(f"{name}: expected {' or '.join(choices)}, not {value!r}")
        return value

    device = choice("COMPAT_DEVICE", "both", "cpu", "cuda")
    return Chosen(
        builds=tuple(variables.get("COMPAT_BUILDS", "").split()),
        subjects=tuple(variables.get("COMPAT_SUBJECT", "").split()),
        device="" if device == "both" else device,
        depth=choice("COMPAT_DEPTH", *DEPTHS),
    )


def why_unpublished(variables: Mapping[str, str]) -> str:
    """Why a run is not to be committed, deployed and written into issues; empty where it is to be.

    What is published is a whole matrix of the default branch of the repository that switched the
    nightly on: a part of it would stand for the whole in tables, history and issues.
    """

    def value(name: str) -> str:
        return variables.get(name, "")

    if value("COMPAT_NIGHTLY") != "on":
        return "COMPAT_NIGHTLY is not on"
    if value("COMPAT_REPOSITORY") not in {"", value("GITHUB_REPOSITORY")}:
        return f"the workflow is one of {value('COMPAT_REPOSITORY')}"
    # A schedule is one of the default branch.
    by_hand = value("GITHUB_EVENT_NAME") != "schedule"
    if by_hand and value("GITHUB_REF") != f"refs/heads/{value('COMPAT_DEFAULT_BRANCH')}":
        return f"{value('GITHUB_REF')} is not the default branch"
    said = chosen(variables)
    if said.builds or said.subjects or said.device:
        return "only some builds, some subjects or one device were chosen"
    return ""


def why_blind(variables: Mapping[str, str]) -> str:
    """Why nothing that a night saw proves anything; empty where the self-check passed or is none.

    Raises:
        UsageError: The self-check ended in a way that GitHub does not know.
    """
    ended = variables.get(SELF_CHECK, "")
    if ended not in {"", "success", "failure", "cancelled", "skipped"}:
        raise UsageError(f"{SELF_CHECK}: expected how a job ended, not {ended!r}")
    if ended in {"", "success"}:
        return ""
    how = {"failure": "failed", "cancelled": "was cancelled", "skipped": "was skipped"}[ended]
    return f"The self-check {how}: the instrument is broken, or nobody knows that it is not."


def append(variable: str, text: str) -> None:
    """Add ``text`` to the file that GitHub names in an environment variable."""
    if variable not in os.environ:
        raise UsageError(f"--github: expected a file named by {variable}")
    with Path(os.environ[variable]).open("a", encoding="utf-8") as file:
        file.write(text)


def link_to_run(variables: Mapping[str, str]) -> str:
    """The run of a GitHub workflow that this is; empty where it is none."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (variables.get(name, "") for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""
