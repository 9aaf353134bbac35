"""What each thing comes to on the builds of a range."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.audit.judge import Audit, Verdict, breaks
from compat.audit.view import audit_text
from compat.runs.model import Cell, Outcome
from compat.topics.surface.records import Config, Key, Name, Used
from tests.audit.making import (
    MEMBERS,
    MIDDLE,
    NEW,
    OLD,
    audit_of,
    capability,
    known_of,
    members,
    name,
)
from tests.topics.cells import make_cell

GATE = "if is_torch_equal_or_newer('{}'):  # torch\n    f(donate_graph_module=True)\n"
STAND_IN = """
class A:
    def get_pruned_guards(self): ...
    def evaluate_guards_expression(self): ...
"""
TLS = "value of type _thread._local"


def donation(*there: bool) -> list[Cell]:
    builds = (OLD, MIDDLE, NEW)
    return [
        capability(build, "donate_graph_module", has)
        for build, has in zip(builds, there, strict=True)
    ]


@pytest.mark.parametrize(
    ("floor", "verdict", "builds"),
    [
        ("2.13.0.dev", Verdict.LATE, (MIDDLE,)),
        ("2.11.0.dev", Verdict.RIGHT, (OLD, MIDDLE, NEW)),
        ("2.10.0", Verdict.EARLY, (OLD,)),
        ("2.99.0", Verdict.LATE, (MIDDLE, NEW)),
    ],
)
def test_a_gate_and_what_it_guards(
    tmp_path: Path, floor: str, verdict: Verdict, builds: tuple[str, ...]
) -> None:
    audit = audit_of(tmp_path, GATE.format(floor), *donation(False, True, True))
    (check,) = audit.checks
    assert (check.verdict, check.builds) == (verdict, builds)
    assert audit.breaks is (verdict is Verdict.EARLY)


@pytest.mark.parametrize(
    ("versions", "verdict"),
    [
        ("", Verdict.UNKNOWN),
        (">=2.11", Verdict.DEAD),
        # The range allows what is older than any build of the run.
        (">=2.10.1", Verdict.UNKNOWN),
        ("<2.11", Verdict.UNKNOWN),
    ],
)
def test_a_check_is_dead_where_the_range_begins_after_it(
    tmp_path: Path, versions: str, verdict: Verdict
) -> None:
    cells = [capability(build, "other", True) for build in (OLD, MIDDLE, NEW)]
    text = "x = is_torch_equal_or_newer('2.11.0')  # torch\n"
    (check,) = audit_of(tmp_path, text, *cells, versions=versions).checks
    assert check.verdict is verdict


def test_a_gate_about_which_a_build_says_nothing(tmp_path: Path) -> None:
    lost = make_cell(
        NEW,
        None,
        Outcome.CRASH,
        probe="gates.capability",
        params={"feature": "donate_graph_module"},
    )
    audit = audit_of(tmp_path, GATE.format("2.12.0"), *donation(False, False, True)[:2], lost)
    (check,) = audit.checks
    assert (check.verdict, check.builds) == (Verdict.RIGHT, (OLD, MIDDLE))


def one_name(audit: Audit) -> tuple[Verdict, tuple[str, ...]]:
    (found,) = [each for each in audit.names if each.found.path.endswith("b")]
    return found.verdict, found.builds


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("from torch._a import b\n", True),
        ("try:\n    from torch._a import b\nexcept ImportError:\n    b = None\n", False),
    ],
)
def test_a_name_that_some_builds_lack(tmp_path: Path, text: str, broken: bool) -> None:
    cells = [name(OLD, "torch._a:b"), name(MIDDLE, "torch._a:b", None)]
    audit = audit_of(tmp_path, text, *cells)
    assert one_name(audit) == (Verdict.ABSENT, (MIDDLE,))
    assert audit.breaks is broken
    (statement,) = audit.names[0].since
    assert (statement.version_added, statement.version_removed) == ("≤2.10.0", "2.11.0")


def test_a_name_is_judged_on_the_builds_of_the_range_only(tmp_path: Path) -> None:
    cells = [name(OLD, "torch._a:b", None), name(MIDDLE, "torch._a:b")]
    audit = audit_of(tmp_path, "from torch._a import b", *cells, versions=">=2.11")
    assert one_name(audit) == (Verdict.THERE, (MIDDLE,))


def test_what_is_in_a_name_that_is_gone_is_gone(tmp_path: Path) -> None:
    audit = audit_of(tmp_path, "from torch._a.C import b", name(OLD, "torch._a:C", None))
    assert one_name(audit) == (Verdict.ABSENT, (OLD,))


def test_a_module_is_there_where_a_name_in_it_is(tmp_path: Path) -> None:
    audit = audit_of(tmp_path, "import torch._b", name(OLD, "torch._b:C"))
    assert one_name(audit) == (Verdict.THERE, (OLD,))


def test_a_module_is_not_gone_where_a_name_in_it_is(tmp_path: Path) -> None:
    audit = audit_of(tmp_path, "import torch._b", name(OLD, "torch._b:C", None))
    assert one_name(audit) == (Verdict.UNKNOWN, ())


def test_a_name_of_which_a_build_cannot_tell(tmp_path: Path) -> None:
    why = "an object of type a.B may get it later"
    untold = Name(there=None, signature="", refused=(), unknown=why)
    cell = make_cell(OLD, Used(names={"torch._a.b": untold}), params={"part": "torch._a"})
    (found,) = audit_of(tmp_path, "from torch._a import b", cell).names
    assert (found.verdict, found.why, found.since) == (Verdict.UNKNOWN, why, ())


def test_names_and_keys_that_only_subjects_use_are_judged(tmp_path: Path) -> None:
    names = {"torch._a.b": Name(there=False, signature="", refused=())}
    keys = {
        "torch._dynamo.config.x": Key(there=True, default="1", subjects=()),
        "torch._dynamo.config.y": Key(there=False, default="", subjects=()),
    }
    cells = [
        make_cell(OLD, Used(names=names), params={"part": "torch._a"}),
        make_cell(OLD, Config(keys=keys), params={"module": "torch._dynamo.config"}),
    ]
    text = "from torch._a import b\nimport torch\nc = torch._dynamo.config\nc.x = c.y = 1\n"
    audit = audit_of(tmp_path, text, *cells)
    assert one_name(audit) == (Verdict.ABSENT, (OLD,))
    assert {each.found.key: each.verdict for each in audit.keys} == {
        "x": Verdict.THERE,
        "y": Verdict.ABSENT,
    }


def test_what_a_thread_local_holds_is_not_called_absent(tmp_path: Path) -> None:
    """Up to 2.13 ``torch._guards._TLS`` has no attribute before somebody sets it."""
    text = "import torch\ntorch._guards._TLS.tracing_context = None\n"
    audit = audit_of(
        tmp_path, text, name(OLD, "torch._guards:_TLS", TLS), name(NEW, "torch._guards:_TLS", TLS)
    )
    (found,) = audit.names
    assert (found.verdict, found.builds) == (Verdict.UNKNOWN, ())
    assert "torch._guards._TLS is a threading.local" in found.why
    assert not audit.breaks


@pytest.mark.parametrize(
    ("call", "verdict", "missing"),
    [
        ("b(1)", Verdict.THERE, ()),
        ("b(1, b=2)", Verdict.THERE, ()),
        ("b(1, donate=2)", Verdict.REFUSED, ("donate",)),
        ("b(1, donate=2, **more)", Verdict.REFUSED, ("donate",)),
        ("b(b=2)", Verdict.REFUSED, ("missing a required argument: 'a'",)),
        ("b(1, 2)", Verdict.REFUSED, ("too many positional arguments",)),
        # What is passed on may be what is missing.
        ("b(**more)", Verdict.THERE, ()),
        ("b(*some, b=2)", Verdict.THERE, ()),
    ],
)
def test_a_call_against_the_parameters(
    tmp_path: Path, call: str, verdict: Verdict, missing: tuple[str, ...]
) -> None:
    audit = audit_of(tmp_path, f"import torch._a\nb = torch._a.b\n{call}", name(OLD, "torch._a:b"))
    (found,) = [each for each in audit.names if each.found.call is not None]
    assert (found.verdict, found.missing) == (verdict, missing)
    assert audit.breaks is (verdict is Verdict.REFUSED)


@pytest.mark.parametrize(
    ("call", "signature", "certain"),
    [
        ("b(1, b=2)", "function(a, *, b=…)", True),
        ("b(1, **more)", "function(a, *, b=…)", False),
        ("b(1)", "function(…)", False),
    ],
)
def test_a_call_that_cannot_be_judged_whole_says_so(
    tmp_path: Path, call: str, signature: str, certain: bool
) -> None:
    text = f"import torch._a\nb = torch._a.b\n{call}"
    audit = audit_of(tmp_path, text, name(OLD, "torch._a:b", signature))
    (found,) = [each for each in audit.names if each.found.call is not None]
    assert found.verdict is Verdict.THERE
    assert (found.why == "") is certain
    assert ("Of names that are there, 1 ×" in audit_text(audit)) is not certain


@pytest.mark.parametrize(
    "signature", ["function(…)", "value of type builtins.int", "function(*args, **kwargs)"]
)
def test_a_call_of_what_takes_anything_is_not_refused(tmp_path: Path, signature: str) -> None:
    text = "import torch._a\ntorch._a.b(1, 2, x=3)\n"
    assert not audit_of(tmp_path, text, name(OLD, "torch._a:b", signature)).breaks


@pytest.mark.parametrize(
    ("text", "verdict", "builds"),
    [
        ("if CHECK:\n    b()", Verdict.ABSENT, (MIDDLE,)),
        ("if not CHECK:\n    b()", Verdict.THERE, (OLD,)),
        ("if ready and CHECK:\n    pass\nelse:\n    b()", Verdict.ABSENT, (MIDDLE,)),
        ("if ready or CHECK:\n    pass\nelse:\n    b()", Verdict.THERE, (OLD,)),
        ("has = CHECK\nx = 0 if has else b()", Verdict.THERE, (OLD,)),
        ("if CHECK:\n    pass\nelif ready:\n    b()", Verdict.THERE, (OLD,)),
        ("if CHECK:\n    if not CHECK:\n        b()", Verdict.UNREACHED, ()),
        ("while CHECK:\n    b()", Verdict.ABSENT, (MIDDLE,)),
    ],
)
def test_a_use_is_judged_only_where_version_checks_let_it_be_reached(
    tmp_path: Path, text: str, verdict: Verdict, builds: tuple[str, ...]
) -> None:
    checked = text.replace("CHECK", "is_torch_equal_or_newer('2.11.0')")
    cells = [name(OLD, "torch._a:b", "function()"), name(MIDDLE, "torch._a:b", None)]
    audit = audit_of(tmp_path, f"import torch._a\nb = torch._a.b\n{checked}\n", *cells)
    (found,) = [each for each in audit.names if each.found.call is not None]
    assert (found.verdict, found.builds) == (verdict, builds)
    alone = [each for each in audit.everything() if breaks(each) and each.found is found.found]
    assert bool(alone) is (verdict is Verdict.ABSENT)


def test_a_key_under_a_version_check(tmp_path: Path) -> None:
    text = """
        import torch._dynamo.config as c
        if is_torch_equal_or_newer("2.11.0"):
            c.patch(new=1)
    """
    cells = [
        name(OLD, "torch._dynamo.config:new", None),
        name(MIDDLE, "torch._dynamo.config:new", "value of type builtins.bool"),
    ]
    (key,) = audit_of(tmp_path, text, *cells).keys
    assert (key.verdict, key.builds) == (Verdict.THERE, (MIDDLE,))


def test_keys(tmp_path: Path) -> None:
    text = "import torch._dynamo.config as c\nc.here = 1\nc.gone = 2\nc.never = 3\nc.patch(**x)\n"
    audit = audit_of(
        tmp_path,
        text,
        name(OLD, "torch._dynamo.config:here", "value of type builtins.bool"),
        name(OLD, "torch._dynamo.config:gone", None),
    )
    found = {each.found.key: each.verdict for each in audit.keys}
    assert found == {
        "here": Verdict.THERE,
        "gone": Verdict.ABSENT,
        "never": Verdict.UNKNOWN,
        "": Verdict.UNKNOWN,
    }
    assert [each.found.key for each in audit.keys if breaks(each)] == ["gone"]


def test_a_stand_in_lacks_what_torch_needs_of_it(tmp_path: Path) -> None:
    read = ("get_pruned_guards", "evaluate_guards_expression")
    cells = [*members(OLD, *read), *members(MIDDLE, *MEMBERS)]
    audit = audit_of(tmp_path, STAND_IN, *cells)
    (found,) = audit.stand_ins
    assert (found.verdict, found.builds) == (Verdict.LACKS, (MIDDLE,))
    assert found.missing == ("var_to_hint_override",)
    assert audit.breaks
    repaired = STAND_IN + "    var_to_hint_override = {}\n"
    (whole,) = audit_of(tmp_path, repaired, *cells).stand_ins
    assert (whole.verdict, whole.builds) == (Verdict.WHOLE, (OLD, MIDDLE))


def test_a_stand_in_that_may_inherit_what_it_lacks_is_unknown(tmp_path: Path) -> None:
    text = STAND_IN.replace("class A:", "from x import Y\nclass A(Y):")
    (found,) = audit_of(tmp_path, text, *members(MIDDLE, *MEMBERS)).stand_ins
    assert found.verdict is Verdict.UNKNOWN


def test_a_stand_in_on_builds_of_which_nothing_is_known(tmp_path: Path) -> None:
    lost = make_cell(NEW, None, Outcome.CRASH, probe="shape_env.reads")
    (found,) = audit_of(tmp_path, STAND_IN, lost).stand_ins
    assert found.verdict is Verdict.UNKNOWN


def test_a_range_without_a_floor_begins_with_the_oldest_build() -> None:
    known = known_of(capability(OLD, "x", True), capability(NEW, "x", True), versions="<2.13")
    assert [build.id for build in known.builds] == [OLD]
    assert str(known.oldest) == "2.10.0"
    assert str(known_of(capability(NEW, "x", True), versions="~=2.9.1").oldest) == "2.9.1"
