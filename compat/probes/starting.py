"""``python -m compat.probes.starting CACHE DEVICE``: what a new interpreter makes of caches."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from compat.probes.reusing import start

if __name__ == "__main__":
    print(json.dumps(asdict(start(Path(sys.argv[1]), sys.argv[2]))))
