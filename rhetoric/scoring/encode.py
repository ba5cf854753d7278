"""Scored rows become the bytes of a part, of output and of quarantine, and are counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rhetoric.errors import JobError
from rhetoric.scoring.carried import json_text
from rhetoric.scoring.columns import Outcome, added_columns
from rhetoric.scoring.plan import Plan
from rhetoric.scoring.records import is_placeholder
from rhetoric.scoring.rows import Row
from rhetoric.scoring.summary import BadRows, Summary, Tally

__all__ = ["encode", "summarise"]


def encode(part: Sequence[tuple[Row, Outcome]], plan: Plan, tally: Tally) -> tuple[bytes, bytes]:
    """The bytes of a part for the output and for the quarantine; counts its rows.

    Args:
        part: Rows with their predictions, or why there is none.
        plan: The job.
        tally: Its figures, to which those of the part are added.

    Raises:
        JobError: A row that was read is neither written nor quarantined; or is bad under `on_error="fail"`.
    """
    kept: list[Row] = []
    outcomes: list[Outcome] = []
    quarantine: list[str] = []
    for row, outcome in part:
        where = f"{plan.sources[row.file].name} row {row.record.number}"
        if isinstance(outcome, str):
            if plan.options.on_error == "fail":  # as the reader does; only the tagger knows what is too long
                raise JobError(f"{where}: {outcome}; remedy: --on-long window, or --on-error null; with --restart")
            keep = row.record.raw is None and plan.options.on_error == "null"
            tally.bad(outcome, where, kept=keep)
            if not keep:
                quarantine.append(_quarantined(row, outcome, plan))
                continue
        elif is_placeholder(row.text):
            tally.placeholder(where)
        kept.append(row)
        outcomes.append(outcome)
    added = added_columns(outcomes, plan.layout)
    bad = "".join(quarantine).encode()
    # Each as counted where it happens: by the reader, in the lines laid out, in the quarantine as it is written.
    figures = part[-1][0].count - part[0][0].count + 1 if part else 0, len(set(added.source)), bad.count(b"\n")
    _check_balance(*figures)
    tally.rows += figures[0]
    tally.kept += figures[1]
    tally.quarantined += figures[2]
    tally.lines += len(added.source)
    # A document ends with the row behind which the next record is read.
    tally.documents += sum(row.after.done == 0 for row, _ in part) if plan.options.documents else 0
    tally.count([row.text for row in kept], outcomes, plan.options.top)
    rows = plan.writer.encode(kept, added) if kept else b""
    return rows, bad


def _check_balance(read: int, kept: int, quarantined: int) -> None:
    if read != kept + quarantined:
        raise JobError(
            f"{read:,} rows were read, but {kept:,} written and {quarantined:,} quarantined: rows would be lost or "
            "doubled; remedy: report this as a fault of rhetoric, and --restart to start anew"
        )


def _quarantined(row: Row, reason: str, plan: Plan) -> str:
    record = row.record
    entry: dict[str, Any] = {"file": plan.sources[row.file].name, "row": record.number, "reason": reason}
    if plan.options.id_column is not None and record.cells is not None:
        entry["id"] = plan.carried.value(record, plan.options.id_column)
    if record.raw is not None:
        entry["raw"] = record.raw
    elif plan.schema.kind == "txt":
        entry["raw"] = record.text
    else:
        body = plan.carried.body(record)
        if plan.options.documents:  # then the text is not among the carried columns
            body = ", ".join(filter(None, (json_text({plan.schema.text: record.text})[1:-1], body)))
        entry["raw"] = f"{{{body}}}"
    return json_text(entry) + "\n"


def summarise(plan: Plan, tally: Tally, output: str, quarantine: str | None) -> Summary:
    """The figures of a job, with the names of what it wrote.

    Raises:
        JobError: They do not add up.
    """
    _check_balance(tally.rows, tally.kept, tally.quarantined)
    return Summary(
        output=output,
        inputs=tuple(source.name for source in plan.sources),
        model={"labels": list(plan.layout.labels)} | dict(plan.model),
        options=plan.options.to_dict(),
        rows=tally.rows,
        kept=tally.kept,
        quarantined=tally.quarantined,
        lines=tally.lines,
        labels={name: tally.labels.get(name, 0) for name in plan.layout.labels},
        neutral=tally.neutral,
        uncertain=tally.uncertain,
        truncated=tally.truncated,
        duplicates=tally.duplicates,
        errors={
            reason: BadRows(entry["count"], entry["kept"], tuple(entry["first"]))
            for reason, entry in tally.errors.items()
        },
        seconds=round(tally.seconds, 3),
        resumed=tally.resumed,
        quarantine=quarantine,
        documents=tally.documents if plan.options.documents else None,
        placeholders=tally.placeholders,
        first_placeholder=tally.first_placeholder,
    )
