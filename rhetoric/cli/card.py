"""`rhetoric card`: what a model is, how good it is, and what it learned from."""

from __future__ import annotations

import click

from rhetoric.errors import InputError
from rhetoric.model_folder import CARD, locate_model, read_model_folder

__all__ = ["command"]


@click.command("card")
@click.argument("model", metavar="[FOLDER|HUB_ID]", required=False)
def command(model: str | None) -> None:
    """Print the model card (Markdown): accuracy with intervals, limits, training data and its licences.

    Without a name, that of the bundled model.
    """
    card = read_model_folder(locate_model(model)).path / CARD
    if not card.is_file():
        raise InputError(f"{card.parent} holds no {CARD}; remedy: ask whoever made the model")
    click.echo(card.read_text(encoding="utf-8"), nl=False)
