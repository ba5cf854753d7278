"""Options that the commands for labelled data share, and the settings they come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from rhetoric.finetune.config import TrainConfig, read_config

__all__ = ["column_options", "label_options", "settings"]

Command = TypeVar("Command", bound=Callable[..., Any])

_COLUMNS = (
    click.option("--text-column", metavar="NAME", help="Column of the text (default: text, or sentence)."),
    click.option(
        "--label-column",
        metavar="NAME[,NAME…]",
        help="Column of the labels as a list or a|b, or 0/1 columns (default: labels, label, or every 0/1 column).",
    ),
    click.option(
        "--borderline-column", metavar="NAME", help="Column of labels that readers split on (default: borderline)."
    ),
    click.option("--group-column", metavar="NAME", help="Column of what must stay together (default: document, …)."),
)
_LABELS = (
    click.option("--base", metavar="FOLDER|HUB_ID", help="Model to start from instead of the bundled one."),
    click.option("--labels", metavar="A,B,…", help="The labels, where the data or the base does not say."),
    click.option("--extend", is_flag=True, default=None, help="Add the data's new labels behind the base's own."),
    click.option(
        "--single-label",
        "task",
        flag_value="single_label",
        default=None,
        help="Exactly one class a row (softmax).",
    ),
    click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="YAML file of settings."),
    click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change one setting. Repeatable."),
)


def column_options(command: Command) -> Command:
    """Adds the options that say which column is what."""
    for option in reversed(_COLUMNS):
        command = option(command)
    return command


def label_options(command: Command) -> Command:
    """Adds the options that say what is trained from what."""
    for option in reversed(_LABELS):
        command = option(command)
    return command


def settings(config: Path | None = None, changes: Sequence[str] = (), **flags: Any) -> TrainConfig:
    """Settings of a config file, then `--set`, then options of their own; options that were not given say nothing.

    Raises:
        InputError: A key is unknown or a value is impossible.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    return read_config(config, changes).changed(given) if config or changes else TrainConfig().changed(given)
