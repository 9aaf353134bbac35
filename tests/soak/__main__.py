"""Runs a small matrix again and again, kills something in most runs, and looks at what is left.

``python -m tests.soak 200 --seed 1`` has a fake torch, whose cells take next to no time;
``python -m tests.soak 10 --build 2.15`` a real one.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from time import monotonic

from tests.soak.account import Account
from tests.soak.kills import choose
from tests.soak.place import Place, fake_place, real_place

# Of these one is edited ahead of a run; none has half of the cells.
EDITED = {"": ("surface.used", "surface.name", "surface.operators"), "real": ("surface.name",)}
# A MB for each run, beside what the first one left.
MOST_BYTES_A_RUN = 1 << 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("runs", type=int, nargs="?", default=20)
    parser.add_argument("--seed", type=int, default=0, help="who is killed, and when")
    parser.add_argument("--minutes", type=float, default=600, help="begin no run after that")
    parser.add_argument("--build", default="", help="a released build; left out, a fake torch")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        here = Path(folder).resolve()
        real = arguments.build
        place = nullcontext(real_place(here, real)) if real else fake_place(here)
        with place as entered:
            return soak(entered, arguments, EDITED["real" if real else ""])


def soak(place: Place, arguments: argparse.Namespace, edited: tuple[str, ...]) -> int:
    """Go through all runs; 1 if anything was wrong after one."""
    chance = random.Random(arguments.seed)
    account = Account(place)
    wrong, killed, began, run_s = 0, Counter[str](), monotonic(), 0.0
    last = False
    number = -1
    while not last:
        number += 1
        last = number >= arguments.runs or monotonic() > began + 60 * arguments.minutes
        # The first says which cells there are, the second how long a run takes; what the last one
        # finds must be whole.
        kill = choose(chance, run_s) if number > 1 and not last else None
        if number:
            probe = chance.choice(edited)
            place.edit(probe)
            account.forget(probe)
        earlier, started = place.runs, monotonic()
        log = place.checkout.parent / "log"
        with log.open("w") as output:
            nox = place.start(output)
            sent = kill is not None and kill.deliver(nox, place.checkout)
            status = nox.wait()
        if number <= 1:
            run_s = monotonic() - started
        problems = account.problems(status, kill, earlier)
        told = str(kill) if kill else "nobody"
        print(f"{number}: {told}{'' if sent or not kill else ', too late'}: {status}", flush=True)
        for problem in problems:
            print(f"   {problem}")
        if problems:
            wrong += 1
            print("   | " + "\n   | ".join(log.read_text().splitlines()[-20:]), flush=True)
        if kill and sent:
            killed[kill.target] += 1
    return told_of(account, killed, number, wrong, monotonic() - began)


def told_of(account: Account, killed: Counter[str], runs: int, wrong: int, seconds: float) -> int:
    """Print the figures; the exit status."""
    grown = account.disk[-1] - account.disk[0]
    reused = account.reused / max(1, account.run + account.reused)
    print(f"{runs} runs in {seconds / 60:.0f} min, {wrong} of them with something wrong after it")
    print("killed or stopped: " + ", ".join(f"{n} times {who}" for who, n in killed.items()))
    print(f"cells: {account.run} run, {account.reused} reused ({reused:.0%})")
    print(f"disk: {account.disk[0] >> 20} MB after the first run, {grown >> 10} kB more at the end")
    if reused < 0.5:
        print("fewer than half of the cells were reused")
    if grown > runs * MOST_BYTES_A_RUN:
        print("the disk fills")
    return int(bool(wrong) or reused < 0.5 or grown > runs * MOST_BYTES_A_RUN)


if __name__ == "__main__":
    sys.exit(main())
