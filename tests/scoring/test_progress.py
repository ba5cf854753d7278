"""The meter's arithmetic, and what a machine reads."""

from __future__ import annotations

import io
import json

import pytest

from rhetoric.scoring import progress
from rhetoric.scoring.progress import Bar, JsonLines, Meter, Status


def test_speed_and_time_left_are_of_this_run(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    seen: list[Status] = []
    meter = Meter(seen.append, 1000, 10_000)
    meter.update(1000, 4000)  # where an earlier run stopped
    now[0] += 10
    meter.update(1200, 6000)
    meter.update(1201, 6010)  # too soon to say again
    assert seen == [Status(1200, 6000, 10_000, 20.0, 20.0)]
    now[0] += 20
    meter.update(1600, 10_000, last=True)
    assert (seen[-1].rows_per_second, seen[-1].seconds_left) == (20.0, 0.0)


def test_one_json_object_a_line() -> None:
    stream = io.StringIO()
    with JsonLines(stream) as lines:
        lines.say('column "a"')
        lines(Status(5, 10, 20, 2.5, None))
    message, status = map(json.loads, stream.getvalue().splitlines())
    assert message == {"message": 'column "a"'}
    assert status == {"rows": 5, "bytes_read": 10, "bytes_total": 20, "rows_per_second": 2.5, "seconds_left": None}


def test_no_bar_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar() as bar:
        bar(Status(5, 10, 20, 2.5, 4.0))
        bar.say("[bold] stays as it is")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "[bold] stays as it is\n"


def test_a_bar_in_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with Bar() as bar:
        bar(Status(1500, 10, 20, 250.0, 4000.0))
    assert "1,500 rows, 250/s, 1:06:40 left" in capsys.readouterr().err
