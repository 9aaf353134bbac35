from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compat.runs import signature
from compat.runs.signature import normalise, signature_of

LINK = "https://github.com/pytorch/pytorch/blob/0x1f/s12/x.py:123?line=12&pid=7#L1234"


def off(share: float, more: str = "") -> str:
    """As ``compat.probes.agreement`` says it."""
    return (
        f"off by {share:.3g} (relative {2 * share:.3g}): root mean square error {1e6 * share:.3g} "
        f"rounding steps, eager's 1.1, {share:.3g} of what is allowed; bias {share:.3g} of that; "
        f"worst element {1e7 * share:.3g} steps, {share:.3g} of that{more}"
    )


@pytest.mark.parametrize(
    ("today", "tomorrow"),
    [
        ("mode <FakeTensorMode object at 0x7f01>", "mode <FakeTensorMode object at 0x7e55>"),
        ("no file /tmp/a/b/out.so", "no file /home/x/out.so"),
        ("Eq(s77, u0) in x.py:12", "Eq(s3, u14) in x.py:99"),
        ("line 12 of f", "line 7 of f"),
        (f"key {'ab3' * 14} lost", f"key {'zz9' * 14} lost"),
        (f"outputs are {off(1e-3)}: see it", f"outputs are {off(2.5e-3)}: see it"),
        (f"/tmp/a/b.py:1 of {LINK}", f"/home/x/b.py:22 of {LINK}"),
    ],
)
def test_what_changes_from_run_to_run_is_no_part_of_it(today: str, tomorrow: str) -> None:
    assert normalise(today) == normalise(tomorrow)


def test_what_tells_failures_apart_stays() -> None:
    assert normalise("unexpected keyword 'aot'") != normalise("unexpected keyword 'donate'")
    assert normalise("takes 2 arguments") != normalise("takes 3 arguments")
    assert normalise("no file /a/b/one.so") != normalise("no file /a/b/other.so")
    assert normalise(off(1e-3)) == "off by …"
    assert normalise(off(float("nan"))) == "off by nan"
    assert normalise(off(1e-3, "; not as eager: strides")) == "off by …; not as eager: strides"


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
    # Once whole, and once cut.
    assert len(given) == 2 * 4 * len(spies)
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


# Properties. What looks like a line or a process has to differ from what does not.
WORDS = st.from_regex(r"[A-Za-z]{2,9}", fullmatch=True).filter(
    lambda word: word.lower() not in {"line", "pid"}
)
PLAIN = st.lists(WORDS | st.integers(0, 999).map(str), min_size=1, max_size=12).map(" ".join)


NUMBER = st.integers(1, 10**6).map(str)
HEX = st.integers(0, 2**64 - 1).map("{:x}".format)
FOLDERS = st.lists(st.sampled_from(["tmp", "home", "a-b", "x.y", "~me", "torch+cpu"]), min_size=1)
PATHS = FOLDERS.map(lambda parts: "/" + "/".join(parts))
# What differs from day to day or from machine to machine, by what it is a part of.
VOLATILE = {
    "at 0x{}": HEX,
    "{}/out.so": PATHS,
    "{}/x.py": PATHS,
    "x.py:{}": NUMBER | st.builds("{}:{}".format, NUMBER, NUMBER),
    "line {} of": NUMBER,
    "line number: {}": NUMBER,
    "(pid: {})": NUMBER,
    "pid={}": NUMBER,
    "s{}": NUMBER,
    "Eq(u{}, 3)": NUMBER,
    "key {} lost": st.binary(min_size=32, max_size=32).map(bytes.hex),
    "{} bytes": st.integers(1000, 10**12).map(str),
    "b'{}' lost": st.text("abc \\x01"),
    "{} s of processor time": st.integers(1, 99_999).map(lambda tenths: f"{tenths / 10}"),
}
PAIRS = st.one_of([st.tuples(st.just(form), each, each) for form, each in VOLATILE.items()])


@given(st.lists(st.tuples(PLAIN, PAIRS), min_size=1, max_size=4))
@example([("took", ("{} s of processor time", "999.5", "1000.5"))])
@example([("in", ("x.py:{}", "7", "7:12"))])
def test_nothing_of_a_day_or_a_machine_is_part_of_it(
    parts: list[tuple[str, tuple[str, str, str]]],
) -> None:
    today = " ".join(f"{plain} {form.format(one)}" for plain, (form, one, _) in parts)
    tomorrow = " ".join(f"{plain} {form.format(other)}" for plain, (form, _, other) in parts)
    assert normalise(today) == normalise(tomorrow)


@given(PLAIN)
def test_words_and_small_numbers_stay_so_that_other_texts_are_other_signatures(text: str) -> None:
    assert normalise(text) == text


# Whatever else would be looked at in it.
LINKS = st.from_regex(
    r"https://[a-z]{1,9}\.(org|com)(/([a-z]{1,9}|[0-9]{1,9}|0x1f|s7|[0-9a-z]{40}|x\.py:12)){0,6}",
    fullmatch=True,
)


@given(PLAIN, LINKS, PAIRS, PLAIN)
@example("x", LINK, ("{}/x.py", "/a/b", "/c"), "y")
def test_a_link_survives_whole_beside_what_does_not(
    before: str, link: str, pair: tuple[str, str, str], after: str
) -> None:
    form, one, other = pair
    for text in ("{} {} {} {}", "{} ({}) {} {}", "{} '{}': {} {}", "{} {}, {} {}"):
        today, tomorrow = (
            normalise(text.format(before, link, form.format(each), after)) for each in (one, other)
        )
        assert today == tomorrow
        assert link in today or len(today) == 240
        # And where it comes last.
        assert normalise(f"{form.format(one)} {link}").endswith(link)


def test_links_tell_failures_apart() -> None:
    links = [f"https://github.com/pytorch/pytorch/issues/{number}" for number in (195320, 195383)]
    assert len({normalise(f"outputs are {off(1e-3)}: {link}") for link in links}) == 2
    # Others are not links for everybody.
    assert normalise("http://127.0.0.1:43211/a/b") == normalise("http://127.0.0.1:5555/x/b")


PIECES = [
    *("https://", "https:/", "/", "h", "x.org", "(", ")", "https://x.org/1234", "…"),
    *("/a", "/b.py", ".py", ":12", ":3", "0x1f", "line ", "number: ", "s7", "b", "'", '"', "1234"),
    *("5", ".", " s of ", "processor time", "pid ", "a" * 39, "_", " ", "\n", "…", "~", "@"),
]


@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
@example("/a.py:1/b")
@example("x.py:1:2")
@example("a" * 39 + "https://x.org/1234https://")
@example("-" * 199 + "a" * 40 + "_" * 2)
def test_a_signature_is_its_own(message: str) -> None:
    once = normalise(message)
    assert normalise(once) == once
    assert len(once) <= 240
