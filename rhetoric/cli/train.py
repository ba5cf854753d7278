"""`rhetoric train`: retrain on labelled data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from rhetoric.cli.style import output_console, print_whole
from rhetoric.cli.training_options import column_options, label_options, settings
from rhetoric.finetune import TrainResult, train
from rhetoric.finetune.processes import is_first

__all__ = ["command"]

FEW_TO_AGREE = 100  # dev rows; on fewer, a label that drifted still decides alike on nearly all of them


@click.command("train")
@click.argument("data", type=click.Path(path_type=Path), metavar="DATA")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), metavar="MODEL", help="Folder to write.")
@click.option("--dev", type=click.Path(path_type=Path), metavar="DATA", help="Rows to measure by, instead of a share.")
@column_options
@label_options
@click.option("--seed", type=int, help="Of everything random; the same seed gives the same weights.")
@click.option("--resume", is_flag=True, help="Go on where a killed run with the same data and settings stopped.")
@click.option("--force", is_flag=True, help="Replace a model folder, and an unfinished run.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(data: Path, out: Path, dev: Path | None, resume: bool, force: bool, as_json: bool, **options: Any) -> None:
    """Retrain on labelled data: CSV, TSV, JSONL or Parquet with a text and its labels a row.

    Settings come from the defaults, then --config, then --set, then options of their own.
    """
    config = settings(**options)
    with _Bar() as bar:
        try:
            result = train(
                data, out, dev=dev, config=config, resume=resume, force=force, say=bar.say, progress=bar.progress
            )
        except KeyboardInterrupt:
            bar.say("stopped; run again with --resume to go on from the last evaluation")
            raise
    if not is_first():
        return
    if as_json:
        click.echo(json.dumps(asdict(result), default=str, ensure_ascii=False, indent=2))
    else:
        _print(result)


class _Bar:
    """Progress on standard error: a bar in a terminal, a line an evaluation elsewhere."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.task: Any = None
        self.figures: dict[str, float] = {}

    def __enter__(self) -> _Bar:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def say(self, line: str) -> None:
        self.console.print(line, markup=False)

    def progress(self, step: int, steps: int, measured: Mapping[str, float]) -> None:
        if self.task is None:
            self.task = self.bar.add_task("training", total=steps or None, figures="")
        self.figures |= measured
        shown = {"loss": "loss", "eval_loss": "dev loss", "eval_macro_f1": "dev macro F1"}
        line = ", ".join(f"{name} {self.figures[key]:.4f}" for key, name in shown.items() if key in self.figures)
        self.bar.update(self.task, completed=step, total=steps or None, figures=line)
        if "eval_macro_f1" in measured:
            where = f"step {step} of {steps}" if steps else "head on frozen embeddings"
            self.say(f"{where}: {line}")


def _print(result: TrainResult) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    console = output_console(soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("label", "precision", "recall", "F1 [95 %]", "rows", "int8"):
        table.add_column(name, justify="left" if name == "label" else "right", no_wrap=True)
    for row in result.scores.labels:
        change = result.gate.f1_int8[row.label] - result.gate.f1_float[row.label]
        cells = (f"{row.precision:.2f}", f"{row.recall:.2f}", str(row.f1), f"{row.support}", f"{change:+.3f}")
        table.add_row(escape(row.label), *(cells if row.support else ("–", "–", "–", "0", "–")))
    print_whole(console, table)
    console.print(f"macro F1 {result.scores.macro_f1}, micro F1 {result.scores.micro_f1}")
    for old in result.old_labels:
        if old.f1_before is not None and old.f1_after is not None:
            console.print(f"{old.label}: F1 {old.f1_before:.3f} in the base, {old.f1_after:.3f} now", markup=False)
        else:
            few = f": fewer than {FEW_TO_AGREE} are too few to tell" if result.dev_rows < FEW_TO_AGREE else ""
            console.print(
                f"{old.label}: {old.unmeasured}; decides like the base on {old.agreement:.1%} of rows, measured "
                f"on {result.dev_rows} dev rows{few}",
                markup=False,
            )
    console.print(f"{result.path}  ({result.seconds:.0f} s, {result.precision})", markup=False)
