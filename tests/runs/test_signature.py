from __future__ import annotations

import re

import pytest

from compat.runs import signature
from compat.runs.signature import normalise, signature_of


@pytest.mark.parametrize(
    ("today", "tomorrow"),
    [
        ("mode <FakeTensorMode object at 0x7f01>", "mode <FakeTensorMode object at 0x7e55>"),
        ("no file /tmp/a/b/out.so", "no file /home/x/out.so"),
        ("Eq(s77, u0) in x.py:12", "Eq(s3, u14) in x.py:99"),
        ("line 12 of f", "line 7 of f"),
        (f"key {'ab3' * 14} lost", f"key {'zz9' * 14} lost"),
    ],
)
def test_what_changes_from_run_to_run_is_no_part_of_it(today: str, tomorrow: str) -> None:
    assert normalise(today) == normalise(tomorrow)


def test_what_tells_failures_apart_stays() -> None:
    assert normalise("unexpected keyword 'aot'") != normalise("unexpected keyword 'donate'")
    assert normalise("takes 2 arguments") != normalise("takes 3 arguments")


def test_the_work_on_a_message_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for folders takes time that grows with the square of the length: see what it gets."""
    given: list[int] = []

    class Spy:
        def __init__(self, pattern: re.Pattern[str]) -> None:
            self.pattern = pattern

        def sub(self, replacement: str, text: str) -> str:
            given.append(len(text))
            return self.pattern.sub(replacement, text)

    spies = tuple((Spy(pattern), replacement) for pattern, replacement in signature._VOLATILE)
    monkeypatch.setattr(signature, "_VOLATILE", spies)
    for length in (1_000, 16_000, 32_000, 10_000_000):
        normalise("/~" * (length // 2))
    assert len(given) == 4 * len(spies)
    assert max(given) <= 2000


def test_a_wrapper_is_looked_through() -> None:
    class Wrapper(Exception):
        inner_exception = TypeError("no such keyword")

    assert signature_of(Wrapper("backend failed")) == "TypeError: no such keyword"


def test_the_innermost_torch_frame_is_named() -> None:
    # Known by its module: an environment may itself lie in a folder called torch.
    code = compile("def inner():\n    raise KeyError('x')\n", "/opt/torch/venv/x.py", "exec")
    names: dict[str, object] = {"__name__": "torch._inductor.cache"}
    exec(code, names)
    with pytest.raises(KeyError) as raised:
        names["inner"]()  # type: ignore[operator]
    assert signature_of(raised.value) == "KeyError: 'x' @ torch._inductor.cache:inner"
