"""What is seen while a run works: a moving display on a terminal, plain lines anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from sandbox.model import Step

__all__ = ["Watch", "watch"]


class Watch:
    """Counts steps and passes on what the program says. An engine observer."""

    def __init__(self, console: Console, label: str, scrub: Callable[[str], str]) -> None:
        self._console = console
        self._label = label
        self._scrub = scrub
        self._moved: Callable[[str], None] | None = None
        self.steps = 0

    def step_started(self, step: Step) -> None:
        """Show what is at work."""
        if self._moved is not None:
            self._moved(f"{step.op} {step.name}")

    def step_done(self, step: Step, error: str | None) -> None:
        """Count it; the sentence of a refusal stands in the report."""
        self.steps += step.logical

    def message(self, severity: str, text: str, urn: str | None) -> None:
        """Print what the program logs; errors stand in the report."""
        if severity in {"debug", "error"}:
            return
        where = f" [{urn.rsplit('::', 1)[-1]}]" if urn else ""
        self._console.print(
            f"{self._label}: {severity}{where}: {self._scrub(text.strip())}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )

    @contextmanager
    def showing(self, expected: int | None) -> Generator[None]:
        """Show progress while the block runs."""
        if not self._console.is_terminal:
            self._console.print(f"{self._label}: working", soft_wrap=True, highlight=False, markup=False)
            yield
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task(self._label, total=expected)

            def moved(what: str) -> None:
                bar.update(task, description=f"{self._label}: {what}"[:70], completed=self.steps)

            self._moved = moved
            try:
                yield
            finally:
                self._moved = None


@contextmanager
def watch(
    console: Console, label: str, *, expected: int | None = None, scrub: Callable[[str], str] = str
) -> Generator[Watch]:
    """A watch that shows itself while the block runs; ``expected`` is how many steps are likely."""
    watcher = Watch(console, label, scrub)
    with watcher.showing(expected):
        yield watcher
