"""What a cell says of its failure names no folder of the machine that ran."""

from __future__ import annotations

import pytest

from compat.worker.isolation import _message
from compat.worker.jobs import LOG_TAIL


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "/home/me/e/lib/python3.12/site-packages/torch/_ops.py:549: in f",
            "torch/_ops.py:549: in f",
        ),
        (".compat/environments/x/lib/site-packages/torch/fx/a.py:1:", "torch/fx/a.py:1:"),
        ('  File "/a b/site-packages/torch/x.py", line 3', '  File "/a torch/x.py", line 3'),
        ("f = PosixPath('/e/site-packages/torch/lib')", "f = PosixPath('torch/lib')"),
        ("/w/.compat/source/compat/probes/test_a.py:9: Error", "compat/probes/test_a.py:9: Error"),
        ("my/source/code.py:1: no package of ours", "my/source/code.py:1: no package of ours"),
    ],
)
def test_paths_begin_at_their_package(said: str, message: str) -> None:
    assert _message(said) == message


def test_a_flood_is_cut_before_it_is_searched() -> None:
    assert _message("/" * 10_000_000) == "/" * LOG_TAIL
