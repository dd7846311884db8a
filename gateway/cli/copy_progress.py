"""Shows how far a copy of the database has come, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress as Bars,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from gateway.store.copying import Progress

_LINE_EVERY = 50_000


@contextmanager
def progress_shown() -> Iterator[Callable[[Progress], None]]:
    """A bar for each table on a terminal, else lines."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _show_line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, TimeElapsedColumn(), console=console) as bars:
        yield TableBars(bars)


class TableBars:
    """One bar a table, which runs a second time while the table is checked."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, progress: Progress) -> None:
        if progress.table not in self._tasks:
            self._tasks[progress.table] = self._bars.add_task(
                progress.table, total=progress.total
            )
        self._bars.update(
            self._tasks[progress.table],
            description=f"{progress.table} {progress.step}",
            completed=progress.done,
            total=progress.total,
        )


def _show_line(progress: Progress) -> None:
    if progress.done == progress.total or progress.done % _LINE_EVERY == 0:
        of = f"{progress.done} of {progress.total}"
        click.echo(f"{progress.step} {progress.table}: {of}", err=True)
