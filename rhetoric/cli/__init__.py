"""The `rhetoric` command. Each subcommand is a file of this folder, imported only when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from io import TextIOWrapper

import click

from rhetoric.errors import RhetoricError

__all__ = ["main"]

COMMANDS = {
    "tag": "Tag the sentences of a document.",
    "score": "Score files of any size, resumably.",
    "compare": "Show how label rates moved between scored files.",
    "report": "Make a web page of a scored file.",
    "explain": "Show which words carried a label.",
    "labels": "Print the taxonomy with definitions.",
    "card": "Print a model's card: accuracy, limits, licences.",
    "check": "Check labelled data before training on it.",
    "train": "Retrain on labelled data.",
    "evaluate": "Measure a model on labelled data.",
    "suggest": "Pick the rows worth labelling next.",
    "bench": "Measure the speed here, peers beside it.",
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and summaries without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Imports the command's file."""
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"rhetoric.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the command list of `--help` from `COMMANDS`."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="diplomatic-rhetoric", prog_name="rhetoric")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Tags the rhetoric of diplomacy: demands, threats, conciliation and nine more types."""


def main() -> None:
    """Runs the command line; exits 0, 1 (it failed) or 2 (it was called wrongly)."""
    _write_utf8()
    debug = "--debug" in sys.argv[1:]
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        # Not `cli.main`, which takes a closed pipe for a failure.
        with cli.make_context("rhetoric", arguments) as context:
            cli.invoke(context)
            sys.stdout.flush()
        sys.exit(0)
    except click.exceptions.Exit as ended:  # --help and --version, or what a command passed to ctx.exit
        sys.exit(ended.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader of our output left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except RhetoricError as error:
        if debug:
            raise
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        if debug:
            raise
        click.echo(f"Error: {type(error).__name__}: {error} (run again with --debug for the traceback)", err=True)
        sys.exit(1)


def _write_utf8() -> None:
    """Files and pipes get UTF-8 whatever the locale; a terminal keeps its own, with ? for what it cannot show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8")
