"""The three ways in which an audit is told: text, JSON and SARIF; and the command."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest

from compat.audit.data import to_json
from compat.audit.judge import Audit
from compat.audit.sarif import sarif
from compat.audit.view import audit_text
from compat.cli import main
from compat.report.places import LATEST_RUN
from compat.runs.model import Cell
from compat.runs.model import to_json as run_to_json
from compat.runs.store import write_json
from tests.audit.making import (
    MEMBERS,
    MIDDLE,
    NEW,
    OLD,
    audit_of,
    capability,
    members,
    name,
)
from tests.builds.index_server import IndexServer, serve
from tests.topics.cells import make_matrix

LOOKALIKE = Path(__file__).with_name("lookalike")
FILES = {path.name: path.read_text() for path in LOOKALIKE.glob("*.py")}
READ = ("get_pruned_guards", "evaluate_guards_expression")
CELLS: list[Cell] = [
    capability(OLD, "donate_graph_module", False),
    capability(MIDDLE, "donate_graph_module", True),
    capability(NEW, "donate_graph_module", True),
    *members(OLD, *READ),
    *members(MIDDLE, *MEMBERS),
    name(OLD, "torch._guards:_TLS", "value of type _thread._local"),
    name(OLD, "torch._inductor.codecache:FxGraphCache._get_shape_env"),
    name(NEW, "torch._inductor.codecache:FxGraphCache._get_shape_env", None),
]

# What SARIF 2.1.0 asks of the parts that are made here: sections 3.13, 3.14, 3.18 to 3.20, 3.27 to
# 3.30, 3.49 and 3.58 of the standard.
TEXT = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string", "minLength": 1}},
    "additionalProperties": False,
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "properties": {
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "properties": {
                        "uri": {"type": "string", "pattern": r"^[A-Za-z0-9._~/%-]+$"},
                        "uriBaseId": {"type": "string"},
                    },
                    "additionalProperties": False,
                },
                "region": {
                    "type": "object",
                    "properties": {"startLine": {"type": "integer", "minimum": 1}},
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
        }
    },
    "additionalProperties": False,
}
RULE = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "shortDescription": TEXT,
        "defaultConfiguration": {
            "type": "object",
            "properties": {"level": LEVEL},
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
RESULT = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": -1},
        "level": LEVEL,
        "message": TEXT,
        "locations": {"type": "array", "items": LOCATION},
    },
    "additionalProperties": False,
}
INVOCATION = {
    "type": "object",
    "required": ["executionSuccessful"],
    "properties": {
        "executionSuccessful": {"type": "boolean"},
        "toolExecutionNotifications": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message"],
                "properties": {
                    "level": LEVEL,
                    "message": TEXT,
                    "locations": {"type": "array", "items": LOCATION},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": RULE,
                                    },
                                },
                                "additionalProperties": False,
                            }
                        },
                        "additionalProperties": False,
                    },
                    "invocations": {"type": "array", "items": INVOCATION},
                    "results": {"type": "array", "items": RESULT},
                    "properties": {"type": "object"},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    return audit_of(tmp_path, FILES, *CELLS)


def results(data: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Rule, level, and file with line."""
    (run,) = data["runs"]
    found = []
    for each in run["results"]:
        (location,) = each["locations"]
        physical = location["physicalLocation"]
        where = f"{physical['artifactLocation']['uri']}:{physical['region']['startLine']}"
        found.append((each["ruleId"], each["level"], where))
        assert run["tool"]["driver"]["rules"][each["ruleIndex"]]["id"] == each["ruleId"]
    return found


def test_sarif(audit: Audit) -> None:
    data = sarif(audit)
    jsonschema.validate(data, SARIF)
    assert results(data) == [
        ("gate-dead", "note", "backend.py:12"),
        ("gate-late", "warning", "backend.py:41"),
        ("name-absent", "error", "backend.py:46"),
        ("stand-in-lacks", "error", "backend.py:15"),
    ]
    properties = data["runs"][0]["properties"]
    assert properties["builds"] == [OLD, MIDDLE, NEW]
    assert properties["notJudged"] == to_json(audit)["not_judged"] > 0


def test_sarif_of_a_hostile_tree(tmp_path: Path) -> None:
    """A file's name is an address there, and one that cannot be read is told."""
    files = {"a b#%.py": "from torch._a import b\n", "ä?.py": "import torch\nif"}
    data = sarif(audit_of(tmp_path, files, name(OLD, "torch._a:b", None)))
    jsonschema.validate(data, SARIF)
    ((_, _, where),) = results(data)
    assert unquote(where) == "a b#%.py:1"
    (notification,) = data["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert "SyntaxError" in notification["message"]["text"]


def test_what_is_expected_to_be_absent_is_a_note(tmp_path: Path) -> None:
    text = "try:\n    from torch._a import b\nexcept ImportError:\n    b = None\n"
    data = sarif(audit_of(tmp_path, text, name(OLD, "torch._a:b", None)))
    assert results(data) == [("name-absent", "note", "a.py:2")]


def test_json_has_every_place(audit: Audit) -> None:
    data = json.loads(json.dumps(to_json(audit)))
    tree = audit.tree
    assert len(data["private_names"]) == len(tree.names)
    assert data["total"] == len(list(audit.everything()))
    (late,) = [each for each in data["version_checks"] if each["verdict"] == "late"]
    assert (late["place"]["file"], late["place"]["line"]) == ("backend.py", 41)
    assert (late["rule"], late["on"], late["breaks"]) == (">= 2.13.0.dev0", [MIDDLE], False)
    (stand_in,) = data["stand_ins"]
    assert stand_in["missing"] == ["var_to_hint_override"]
    (switch,) = data["switches"]
    assert (switch["name"], switch["default"]) == ("TORCHINDUCTOR_COMPILE_THREADS", "'4'")


def test_text(audit: Audit) -> None:
    text = audit_text(audit)
    head, breaking, *_ = text.split("\n\n")
    assert head == "a tree: 3 Python files, judged by 2.10.0, 2.11.0, 2.13.0"
    assert breaking == "What breaks (2)"
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert (
        "backend.py:15 AnyShapeEnv lacks lacks var_to_hint_override, which torch reads on 2.11.0"
        in lines
    )
    unknown = next(line for line in lines if line.startswith("Could not be judged"))
    data = to_json(audit)
    assert unknown.startswith(f"Could not be judged: {data['not_judged']} of {data['total']}: ")
    assert any("2 × torch._guards._TLS is a threading.local" in line for line in lines)


def test_what_a_tree_says_is_not_obeyed(tmp_path: Path) -> None:
    hostile = "::error::no\x1b[31m"
    files = {
        f"{hostile}.py": "from torch._a import b\n",
        "b.py": f"import os\nos.getenv('TORCH_\\x1b[31m', '''{hostile}\n::error::''')\n",
    }
    text = audit_text(audit_of(tmp_path, files, name(OLD, "torch._a:b", None)))
    assert "\x1b" not in text
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a report, and the lookalike in it."""
    latest = tmp_path / "reports" / LATEST_RUN
    latest.parent.mkdir(parents=True)
    write_json(latest, run_to_json(make_matrix(*CELLS).run))
    tree = tmp_path / "mine"
    tree.mkdir()
    for file, text in FILES.items():
        (tree / file).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("versions", "status"), [("", 1), ("==2.10.0", 0)])
def test_the_command(
    place: Path, capsys: pytest.CaptureFixture[str], versions: str, status: int
) -> None:
    assert main(["audit", "mine", "--torch", versions, "--sarif", "out.sarif"]) == status
    text = capsys.readouterr().out
    assert text.startswith("mine: 3 Python files")
    jsonschema.validate(json.loads((place / "out.sarif").read_text()), SARIF)


def test_the_command_for_machines(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "mine", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["subject"] == "mine"


def test_the_interface_of_this_project_breaks_nowhere(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its stand-in has what the probe's has; its own name is a subject."""
    assert main(["audit", "builtin", "--json", "--torch", ">=2.10,<2.12"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [each["verdict"] for each in data["stand_ins"]] == ["whole"]


def test_a_release_is_fetched_without_what_it_imports(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file, text in FILES.items():
            archive.writestr(f"vllm/{file}", text)
        archive.writestr("vllm/_C.so", "import torch._a")
    wheel = "vllm-0.20.2-py3-none-any.whl"
    link = f"{wheel}#sha256={hashlib.sha256(content.getvalue()).hexdigest()}"
    server = IndexServer({"/simple/vllm": [link]}, files={wheel: content.getvalue()})
    with serve(server):
        monkeypatch.setattr("pypi_simple.PYPI_SIMPLE_ENDPOINT", f"{server.address}/simple")
        assert main(["audit", "vllm==0.20.2", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    (stand_in,) = data["stand_ins"]
    assert stand_in["place"]["file"] == "vllm/backend.py"
    (folder,) = [path for path in (place / ".compat" / "subjects").iterdir() if path.is_dir()]
    assert sorted(path.name for path in folder.iterdir()) == ["compat-complete", "vllm"]


def test_of_a_checkout_files_are_named_from_its_root(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "fork" / "python").mkdir(parents=True)
    (place / "mine").rename(place / "fork" / "python" / "sglang")
    assert main(["audit", f"sglang:{place}/fork", "--json"]) == 1
    (stand_in,) = json.loads(capsys.readouterr().out)["stand_ins"]
    assert stand_in["place"]["file"] == "python/sglang/backend.py"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "'nowhere': there is no such file or folder, and 'nowhere' is not a subject"),
        (["torch"], "'torch': expected a project that uses torch, not torch itself"),
        (["reports"], "'reports': expected Python files below"),
        (["mine", "--torch", ">=3"], "--torch '>=3': no build of the latest run; it has 2.10.0"),
        (["mine", "--torch", "new"], "argument --torch: expected a series such as"),
    ],
)
def test_bad_usage(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    try:
        status = main(["audit", *arguments])
    except SystemExit as exit:
        status = int(str(exit.code))
    assert status == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"compat: {said}")
