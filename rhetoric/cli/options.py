"""What commands share: engine options, labels, thresholds, text from an argument, a file or a pipe, and pages out."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from rhetoric.engines.choice import ENGINES, PRECISIONS
from rhetoric.errors import InputError, RhetoricError
from rhetoric.tagger import RhetoricTagger

__all__ = [
    "check_label",
    "check_out",
    "check_result",
    "deliver",
    "engine_options",
    "load_tagger",
    "out_options",
    "parse_labels",
    "parse_threshold",
    "read_document",
    "write_text",
]

# What one person reads as one document; a larger file is a corpus, or something that is no text.
MAX_DOCUMENT_BYTES = 4_000_000
# Files of rows, which are for `rhetoric score`.
TABLE_NAME = re.compile(r"\.(?:csv|tsv|jsonl|ndjson|parquet|pq)(?:\.(?:gz|zst))?$", re.I)
# How a file name ends, and hardly ever a text.
FILE_NAME = re.compile(r"\.(?:txt|text|md|rtf|docx?|odt|pdf|html?|xml|json|jsonl|csv|tsv|parquet|gz|zst|zip)$", re.I)

SCORE = "remedy: rhetoric score, for files of rows"

ENGINE_OPTIONS = (
    click.option(
        "--device", metavar="cpu|cuda|cuda:N|mps", help="Where to compute (default: chosen for this machine)."
    ),
    click.option("--engine", type=click.Choice(ENGINES), help="What computes (default: chosen for this machine)."),
    click.option("--precision", type=click.Choice(PRECISIONS), help="Number format (default: the engine's)."),
    click.option("--threads", type=click.IntRange(1), metavar="N", help="Processor threads (default: all granted)."),
    click.option("--token-budget", type=click.IntRange(1), metavar="N", help="Word pieces computed at once."),
)


OUT_OPTIONS = (
    click.option(
        "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write, with --json or --html."
    ),
    click.option("--force", is_flag=True, help="Replace the file."),
)


def out_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command that prints a result the options out and force, which `check_result` looks at."""
    for option in reversed(OUT_OPTIONS):
        command = option(command)
    return command


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options device, engine, precision, threads and token_budget of `from_pretrained`."""
    for option in reversed(ENGINE_OPTIONS):
        command = option(command)
    return command


def parse_labels(value: str | None, known: Sequence[str]) -> tuple[str, ...]:
    """Labels of a comma-separated option; all of them if it is not given.

    Raises:
        InputError: A label is unknown; the message suggests the nearest.
    """
    if value is None:
        return tuple(known)
    parts = [value] if value in known else value.split(",")  # a label of the user's own may hold a comma
    names = tuple(dict.fromkeys(name.strip() for name in parts if name.strip()))
    for name in names:
        check_label(name, known)
    if not names:
        raise InputError(f"--labels is empty; remedy: some of {', '.join(known)}")
    return names


def check_label(name: str, known: Sequence[str]) -> None:
    """Refuses an unknown label.

    Raises:
        InputError: The label is unknown; the message suggests the nearest.
    """
    if name not in known:
        import difflib

        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"remedy: one of {', '.join(known)}"
        raise InputError(f"unknown label {name!r}; {hint}")


def parse_threshold(values: Sequence[str], known: Sequence[str]) -> float | dict[str, float] | None:
    """Thresholds of the repeatable option `P` or `LABEL=P`; a label's own counts, wherever it stands.

    Raises:
        InputError: A value is no number from 0 to 1, or a label is unknown.
    """
    if not values:
        return None
    limits: dict[str, float] = {}
    own: dict[str, float] = {}
    for value in values:
        name, equals, number = value.rpartition("=")
        try:
            limit = float(number)
        except ValueError:
            limit = -1.0
        if not 0 <= limit <= 1:
            raise InputError(f"--threshold {value!r} is no probability; remedy: 0.6, or label=0.6")
        if equals:
            check_label(name, known)
            own[name] = limit
        else:
            limits = dict.fromkeys(known, limit)
    return limits | own


def check_result(out: Path | None, source: str, *, as_json: bool, as_html: bool, force: bool) -> None:
    """Refuses options of a command with `out_options` that do not go together, and what `check_out` refuses.

    Raises:
        click.UsageError: JSON and HTML are asked for, or a file for neither.
        InputError: As `check_out`.
    """
    if as_json and as_html:
        raise click.UsageError("--json and --html exclude each other.")
    if out is not None and not (as_json or as_html):
        raise click.UsageError("-o is for --json and --html; what is printed without them can be redirected.")
    check_out(out, source, force=force, stdout=True)


def load_tagger(model: str | None, *, threads: int | None, **settings: Any) -> RhetoricTagger:
    """A tagger with the engine options of a command."""
    if threads:
        # The tokenizer asks for its threads when it first works, and would take every core of the machine.
        os.environ["RAYON_NUM_THREADS"] = str(threads)
    return RhetoricTagger.from_pretrained(model, threads=threads, **settings)


def check_out(out: Path | None, *sources: str | Path, force: bool, stdout: bool = False) -> None:
    """Refuses to write over what the command reads, and without `force` over anything.

    Args:
        out: The file asked for; None for none.
        *sources: What the command reads.
        force: Whether a file may be replaced.
        stdout: Whether "-" is possible, for standard output.

    Raises:
        InputError: The output is there and may not be replaced, or is one of the sources, or "-" is not possible.
    """
    if out is None or (stdout and str(out) == "-"):
        return
    if str(out) == "-":
        raise InputError("this command writes a file, not to standard output; remedy: a name for it")
    if not out.exists():
        if not (out.parent.is_dir() and os.access(out.parent, os.W_OK)):
            raise InputError(f"{out} cannot be written ({out.parent} is missing, or closed to you); remedy: check it")
        return
    for source in sources:
        if str(source) != "-" and _is_same(out, source):
            raise InputError(f"{out} is what is read, and would be lost; remedy: another name for the output")
    if not force:
        raise InputError(f"{out} exists; remedy: another name, or --force to replace it")


def _is_same(out: Path, source: str | Path) -> bool:
    try:
        return out.samefile(source)
    except (OSError, ValueError):  # a text is no possible file name
        return False


def deliver(text: str, out: Path | None) -> None:
    """Writes a result to a file, or to standard output if that is None or "-"."""
    if out is None or str(out) == "-":
        click.echo(text, nl=False)
    else:
        write_text(out, text)


def write_text(path: Path, text: str) -> None:
    """Writes a result file whole or not at all.

    Raises:
        InputError: The folder is missing or cannot be written to.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(
            f"{path} cannot be written ({error.strerror}); remedy: check the folder and the disk"
        ) from error


def read_document(source: str) -> str:
    """The text of an argument, of the file it names, or of standard input (`-`).

    Raises:
        InputError: It is empty, binary, not UTF-8, or too large for one document; or it looks like a path and
            nothing is there, or a folder is.
        RhetoricError: The file cannot be read.
    """
    if source == "-":
        return _decode(sys.stdin.buffer.read(MAX_DOCUMENT_BYTES + 1), "standard input")
    _check(source, "the text")
    path = Path(source)
    try:
        exists, is_folder = path.exists(), path.is_dir()
    except (OSError, ValueError):  # a long text is no possible file name
        exists = is_folder = False
    if is_folder:
        raise InputError(f"{source} is a folder; remedy: name one file in it")
    if exists:
        try:
            with path.open("rb") as stream:
                text = _decode(stream.read(MAX_DOCUMENT_BYTES + 1), source)
        except OSError as error:
            raise RhetoricError(f"{source} cannot be read ({error.strerror}); remedy: check its permissions") from error
        if TABLE_NAME.search(source):
            click.echo(f"warning: {source} looks like a table, and is read as one running text; {SCORE}", err=True)
        return text
    one_word = not any(map(str.isspace, source))
    if FILE_NAME.search(source) or (one_word and ("/" in source or "\\" in source)):
        raise InputError(f"no file at {source!r}; remedy: check the path, or pass the text itself in quotes")
    return source


def _decode(data: bytes, name: str) -> str:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise InputError(
            f"{name} is larger than {MAX_DOCUMENT_BYTES // 1_000_000} MB, too much for one document; "
            "remedy: split it into documents and tag each"
        )
    if b"\0" in data:
        remedy = SCORE if TABLE_NAME.search(name) else "remedy: save it as plain text"
        raise InputError(f"{name} is a binary file (NUL byte at offset {data.index(0)}); {remedy}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not UTF-8 (byte {data[error.start]:#04x} at offset {error.start}); "
            "remedy: convert it, for example iconv -f WINDOWS-1252 -t UTF-8"
        ) from error
    return _check(text, name)


def _check(text: str, name: str) -> str:
    if not text.strip():
        raise InputError(f"{name} is empty; remedy: pass text with words in it")
    return text
