"""What comes back from a new process, and how it tells that none does. Runs inside a build."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from torch._dynamo.exc import BackendCompilerFailed

from compat.probes.conftest import DiedError, FreshProcess, RaisedError, fresh_process
from compat.worker.machine import LackingError

__all__ = ["fresh_process"]


def give_back(value: Any) -> Any:
    return value


def fail_inside_a_backend() -> None:
    def backend() -> None:
        """Dynamo names it."""

    try:
        raise KeyError("min_cut_info\nand more")
    except KeyError as error:
        raise BackendCompilerFailed(backend, error, None) from error


def leave() -> None:
    os._exit(3)


def be_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def find_a_full_disk() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_it_returns(fresh_process: FreshProcess) -> None:
    assert fresh_process(give_back, {"a": [1.0]}) == {"a": [1.0]}
    assert fresh_process(os.getpid) != fresh_process(os.getpid) != os.getpid()


def test_what_it_raises_comes_as_what_really_broke(fresh_process: FreshProcess) -> None:
    with pytest.raises(RaisedError) as raised:
        fresh_process(fail_inside_a_backend)
    assert raised.value.kind == "KeyError"
    assert raised.value.message == "'min_cut_info\\nand more'"
    assert raised.value.signature.startswith("KeyError: ")
    assert fresh_process(give_back, 1) == 1


@pytest.mark.parametrize(("die", "exit_code"), [(be_killed, -signal.SIGKILL), (leave, 3)])
def test_that_it_dies_is_no_exception_of_its_own(
    die: Callable[[], None], exit_code: int, fresh_process: FreshProcess
) -> None:
    with pytest.raises(DiedError) as died:
        fresh_process(die)
    assert died.value.exit_code == exit_code


def test_what_the_machine_lacks_is_said_to_be_that(fresh_process: FreshProcess) -> None:
    with pytest.raises(LackingError, match="no space left on device"):
        fresh_process(find_a_full_disk)
