"""Shows how far each build is: live in a terminal, a line an event elsewhere."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from compat.document.escape import printed


class LiveProgress:
    """Lines for what begins and ends; in a terminal also a bar of cells for each build."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = console.get_time()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f} of {task.total:.0f} cells"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._counts: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> LiveProgress:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def phase(self, build: str, doing: str) -> None:
        self._say(build, doing)

    def cells(self, build: str, done: int, planned: int) -> None:
        if build not in self._tasks:
            self._say(build, f"probing, {planned} cells")
            self._tasks[build] = self._bars.add_task(build, total=planned)
        before, _ = self._counts.get(build, (0, planned))
        self._counts[build] = (done, planned)
        self._bars.update(self._tasks[build], completed=done)
        # Where no bar moves, a line at each quarter says that something does.
        quarters = 4 * done // planned
        if not self._console.is_terminal and quarters > 4 * before // planned:
            self._say(build, f"{done} of {planned} cells")

    def end(self, build: str, result: str) -> None:
        if build in self._tasks:
            self._bars.update(self._tasks[build], visible=False)
        done, planned = self._counts.get(build, (0, 0))
        self._say(
            build, f"{result.splitlines()[0]}, {done} of {planned} cells" if planned else result
        )

    def _say(self, build: str, what: str) -> None:
        elapsed = int(self._console.get_time() - self._started)
        line = f"{elapsed // 60:3}:{elapsed % 60:02}  {build}: {what}"
        self._console.print(printed(line), markup=False, highlight=False)
