"""Which release of torch an environment holds that was made by hand, if it is one as released.

The question is asked of its interpreter, without importing torch. Only what is exactly as it was
released goes by a release's name: anything else would put its own answers under that name.
"""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomllib
from packaging.version import InvalidVersion, Version

from compat.builds.interpreter import ask

_GIT_VERSION = re.compile(r"^git_version = '([0-9a-f]{40})'$", re.MULTILINE)
# Where torch lies, whether its files are those of its wheel, and what runs before it is imported.
_QUESTION = """
import base64, hashlib, json, site, sysconfig
from importlib.metadata import distribution, distributions
from importlib.util import find_spec
from pathlib import Path

def as_recorded(file):
    path = Path(file.locate())
    if not path.is_file() or file.size not in (None, path.stat().st_size):
        return False
    # Of what is compiled the size alone: it is gigabytes.
    if file.hash is None or path.suffix not in (".py", ".pth"):
        return True
    digest = hashlib.new(file.hash.mode, path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value

torch = distribution("torch")
place = Path(find_spec("torch").origin).parent
standard = Path(sysconfig.get_path("stdlib"))
hooks = [find_spec(name) for name in ("sitecustomize", "usercustomize")]
# A line of it that imports is run as the interpreter starts.
running = {
    path
    for folder in map(Path, {*site.getsitepackages(), site.getusersitepackages()})
    if folder.is_dir()
    for path in folder.glob("*.pth")
    if path.name != "_virtualenv.pth"
    and any(line.startswith(("import ", "import\\t")) for line in path.read_text().splitlines())
}
if running:
    running -= {
        Path(file.locate())
        for each in distributions()
        for file in each.files or ()
        if file.suffix == ".pth" and as_recorded(file)
    }
hooked = bool(running) or any(each and standard not in Path(each.origin).parents for each in hooks)
print(json.dumps({
    "version": torch.version,
    "source": (place / "version.py").read_text(),
    "as_released": not hooked
    and place == Path(torch.locate_file("torch"))
    and bool(torch.files)
    and all(map(as_recorded, torch.files)),
}))
"""


def release_in(python: Path) -> Version | None:
    """The release that the environment of ``python`` holds, None where it is not just that.

    It is one if its version is a release's, its commit is the one that this release was built
    from, its files are those of its wheel, and nothing runs code of its own ahead of it. Without
    the local part, which the file names of the default index lack.
    """
    said = _ask(python)
    try:
        version = Version(Version(str(said["version"])).public)
        commit = _GIT_VERSION.search(str(said["source"]))
        as_released = said["as_released"] is True
    except (KeyError, InvalidVersion):
        return None
    known = commit is not None and _commits().get(str(version)) == commit[1]
    return version if known and as_released else None


def _ask(python: Path) -> dict[str, Any]:
    """What the interpreter says; nothing where it is none, or has no torch that was installed."""
    try:
        said = ask(python, _QUESTION)
    except (OSError, subprocess.SubprocessError, json.JSONDecodeError):
        return {}
    return said if isinstance(said, dict) else {}


@cache
def _commits() -> dict[str, str]:
    table = tomllib.loads(files("compat.builds").joinpath("releases.toml").read_text("utf-8"))
    return dict(table["commits"])
