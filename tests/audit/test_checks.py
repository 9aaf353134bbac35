"""Version checks, and what is passed only where they are true."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from compat.audit.model import Comparison, Rule
from tests.audit.making import tree_of


@pytest.mark.parametrize(
    ("check", "rule"),
    [
        ("is_torch_equal_or_newer('2.13.0.dev')", ">= 2.13.0.dev0"),
        ("helpers.is_torch_equal('2.9.0')", "== 2.9.0"),
        ("parse(torch.__version__) < parse('2.8.0.a0')", "< 2.8.0a0"),
        ("Version('2.12') <= Version(str(torch.__version__))", ">= 2.12"),
        ("torch.__version__ < '2.11.0'", "< 2.11.0"),
        ("Version(torch.__version__).release >= (2, 6)", ">= 2.6"),
        ("parse(torch.__version__).release[:2] == (2, 5)", "== 2.5"),
        ("torch.__version__.split('+')[0] != '2.9.1'", "!= 2.9.1"),
        ("torch.__version__.startswith('2.9')", "== 2.9"),
        ("Version(importlib.metadata.version('torch')) > Version('2.9')", "> 2.9"),
        ("released >= parse('2.7')", ">= 2.7"),
    ],
)
def test_a_check_is_found_with_its_rule(tmp_path: Path, check: str, rule: str) -> None:
    text = (
        "import importlib.metadata\nimport torch\nfrom packaging.version import Version, parse\n"
        f"released = parse(torch.__version__)\nif {check}:\n    pass\n"
    )
    (found,) = tree_of(tmp_path, text).checks
    assert str(found.rule) == rule
    assert (found.place.file, found.place.line) == ("a.py", 5)


@pytest.mark.parametrize(
    "check",
    [
        "'git' in torch.__version__",
        "parse(torch.__version__) >= parse(target)",
        "is_torch_equal_or_newer(target)",
        "'2.9' < torch.__version__ < '2.12'",
    ],
)
def test_a_check_without_a_version_has_no_rule(tmp_path: Path, check: str) -> None:
    text = f"import torch\ndef f(target):\n    return {check}\n"
    (found,) = tree_of(tmp_path, text).checks
    assert found.rule is None


@pytest.mark.parametrize(
    "text",
    [
        "import torchvision\nif torchvision.__version__ >= '2.9': pass\n",
        "import torch\nprint(torch.__version__)\n",
        "import torch\ndef f(torch):\n    return torch.__version__ >= '2.9'\n",
        "import torch\nversion = parse(version)\nif version > '2.9': pass\n",
    ],
)
def test_what_is_no_check(tmp_path: Path, text: str) -> None:
    assert tree_of(tmp_path, text).checks == ()


def test_the_version_is_known_under_the_name_that_another_file_gave_it(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg/common.py": "import torch\nrelease = parse(torch.__version__).release\n",
        "pkg/sub/use.py": "# torch\nfrom ..common import release as r\nif r >= (2, 8): pass\n",
        "pkg/other.py": "# torch\nfrom elsewhere import release\nif release >= (2, 8): pass\n",
    }
    (found,) = tree_of(tmp_path, files).checks
    assert (found.place.file, str(found.rule)) == ("pkg/sub/use.py", ">= 2.8")


@pytest.mark.parametrize(
    ("text", "guards"),
    [
        ("if CHECK:\n    f(x, aot=True)", ("aot",)),
        ("if CHECK and ready:\n    kwargs['aot'] = True", ("aot",)),
        ("kwargs = {'aot': True} if CHECK else {'other': True}", ("aot",)),
        ("has = CHECK\nuse = has and ready\nif use:\n    kwargs['aot'] = True", ("aot",)),
        # What is passed where it is not true, or not only where it is, is not guarded by it.
        ("if CHECK:\n    pass\nelse:\n    f(aot=True)", ()),
        ("if not CHECK:\n    f(aot=True)", ()),
        ("if CHECK or ready:\n    f(aot=True)", ()),
        ("f(CHECK, aot=True)", ()),
    ],
)
def test_what_a_check_guards(tmp_path: Path, text: str, guards: tuple[str, ...]) -> None:
    lines = text.replace("CHECK", "is_torch_equal_or_newer('2.12')").replace("\n", "\n    ")
    found = tree_of(tmp_path, f"# torch\ndef g(x, kwargs, ready):\n    {lines}\n").checks
    assert [each.guards for each in found] == [guards]


@pytest.mark.parametrize(
    ("rule", "holds", "fails"),
    [
        (">= 2.13.0.dev0", "2.13.0.dev20260420+cu130", "2.12.1"),
        ("< 2.8", "2.7.1+cpu", "2.8.0"),
        ("== 2.9", "2.9.1+cu130", "2.10.0"),
        ("!= 2.9.0", "2.9.1", "2.9.0+cpu"),
        ("> 2.9.0", "2.9.1", "2.9.0+cu130"),
        ("<= 2.9.0", "2.9.0+cu130", "2.9.1"),
    ],
)
def test_a_rule_is_in_the_order_of_versions(rule: str, holds: str, fails: str) -> None:
    comparison, version = rule.split()
    made = Rule(Comparison(comparison), Version(version))
    assert made.holds(Version(holds))
    assert not made.holds(Version(fails))


@pytest.mark.parametrize(
    ("rule", "oldest", "settled"),
    [
        (">= 2.10.0", "2.10.0", True),
        (">= 2.10.0", "2.9.1", False),
        ("> 2.10.0", "2.10.0", False),
        ("< 2.8", "2.8.0", True),
        ("== 2.9.0", "2.9.1", True),
        ("== 2.9", "2.9.1", False),
        ("!= 2.12", "2.11.0", False),
    ],
)
def test_a_rule_is_settled_where_nothing_newer_is_answered_otherwise(
    rule: str, oldest: str, settled: bool
) -> None:
    comparison, version = rule.split()
    assert Rule(Comparison(comparison), Version(version)).settled_from(Version(oldest)) is settled
