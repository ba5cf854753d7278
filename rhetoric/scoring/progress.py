"""How far a job is: a bar for people in a terminal, JSON lines for machines, nothing elsewhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, TextIO

from rhetoric.scoring.summary import Summary

__all__ = ["Bar", "JsonLines", "Meter", "Progress", "Status", "taken_up"]


@dataclass(frozen=True, slots=True)
class Status:
    """A job under way.

    Attributes:
        rows: Rows scored, those of earlier runs included.
        bytes_read: Bytes of the input files behind these rows.
        bytes_total: Bytes of all input files.
        rows_per_second: Of this run.
        seconds_left: None until it can be told.
    """

    rows: int
    bytes_read: int
    bytes_total: int
    rows_per_second: float
    seconds_left: float | None


Progress = Callable[[Status], None]


def taken_up(rows: int) -> str:
    """What to say of an unfinished job that is taken up with so many rows done; a kill may come before the first."""
    return f"going on after {rows:,} rows" if rows else "the unfinished job had no finished rows: starting anew"


class Meter:
    """Turns rows and bytes done into statuses, some a second.

    Args:
        report: Where they go.
        rows: Rows done by earlier runs.
        bytes_total: Bytes of all input files.
    """

    # Rows come out of the engine in bursts: so short that the last report of a burst is near its end.
    INTERVAL = 0.05

    def __init__(self, report: Progress, rows: int, bytes_total: int) -> None:
        self._report = report
        self._before = rows
        self._total = bytes_total
        self._start = self._last = time.monotonic()
        self._first_bytes: int | None = None

    def update(self, rows: int, bytes_read: int, *, last: bool = False) -> None:
        """Reports, unless a report has just gone out."""
        now = time.monotonic()
        if self._first_bytes is None:
            self._first_bytes = bytes_read
        if now - self._last < self.INTERVAL and not last:
            return
        self._last = now
        seconds = max(now - self._start, 1e-9)
        read = bytes_read - self._first_bytes
        left = (self._total - bytes_read) * seconds / read if read > 0 else None
        speed = round((rows - self._before) / seconds, 1)
        self._report(Status(rows, bytes_read, self._total, speed, None if left is None else round(max(left, 0.0), 1)))


class Bar:
    """A bar on standard error; draws nothing if that is no terminal. Use it in a `with`.

    Args:
        shown: Whether to draw it at all.
    """

    def __init__(self, *, shown: bool = True) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bar = Progress(
            TextColumn("scoring"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not (shown and self._console.is_terminal),
        )
        self._task: Any = self._bar.add_task("scoring", total=None, figures="")

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        """Prints a line above the bar."""
        self._console.print(line, markup=False)

    def finish(self, summary: Summary) -> None:
        """Takes the bar away and prints the summary."""
        self._bar.stop()
        self.say(str(summary))

    def __call__(self, status: Status) -> None:
        """Moves the bar."""
        left = "" if status.seconds_left is None else f", {_clock(status.seconds_left)} left"
        figures = f"{status.rows:,} rows, {status.rows_per_second:,.0f}/s{left}"
        self._bar.update(self._task, completed=status.bytes_read, total=status.bytes_total, figures=figures)


class JsonLines:
    """One JSON object a line.

    Args:
        stream: Where to, as a rule standard error.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def say(self, line: str) -> None:
        """Writes a message."""
        self._write({"message": line})

    def finish(self, summary: Summary) -> None:
        """Writes the summary."""
        self._write({"summary": summary.to_dict()})

    def __call__(self, status: Status) -> None:
        """Writes a status."""
        self._write(asdict(status))

    def _write(self, entry: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(entry) + "\n")
        self._stream.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
