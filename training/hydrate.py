"""Puts the texts back to the standoff labels, from public corpora that you downloaded.

    python -m training.hydrate -o labelled.jsonl SOURCE [SOURCE …]

DATASHEET.md names the corpora. A SOURCE is a text, JSON, JSONL, CSV or TSV file (also .gz), or a folder of them. Every
text in it is tried whole, line by line and sentence by sentence; one whose id is annotated is that very sentence.
Ids that no source has are listed in OUT.missing.txt: no text stands in for a missing one.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rhetoric.documents import split_sentences
from rhetoric.errors import InputError
from training.data import ANNOTATIONS, NAME_OF_CODE, sentence_id

TABLES = {".csv": ",", ".tsv": "\t"}
SUFFIXES = {".txt", ".md", ".json", ".jsonl", ".ndjson", *TABLES}
ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Labels:
    """What a reader gave one sentence: names of clear and of borderline labels."""

    clear: tuple[str, ...]
    borderline: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What the sources held.

    Attributes:
        texts: Text of each id found, white space collapsed; in the order of the annotations.
        counts: Ids found in each source, also those that another source has too.
        missing: Ids no source has, in the order of the annotations.
        skipped: Files of a folder that are of no format known here.
    """

    texts: dict[str, str]
    counts: dict[Path, int]
    missing: tuple[str, ...]
    skipped: tuple[Path, ...]


def read_labels(folder: Path) -> dict[str, Labels]:
    """Reads the standoff files (`*.tsv`) of a folder; of an id read twice, the last file by name counts.

    Raises:
        InputError: No such file is there, or a line is not id, clear codes and borderline codes.
    """
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise InputError(f"{folder}: no annotation file (*.tsv) is there; name the folder that holds them")
    return {key: labels for file in files for key, labels in read_file(file).items()}


def read_file(file: Path) -> dict[str, Labels]:
    """Reads a standoff file.

    Raises:
        InputError: A line is not id, clear codes and borderline codes.
    """
    labels = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        cells = line.split("\t")
        if len(cells) != 3 or not ID.fullmatch(cells[0]):
            raise InputError(f"{file}, line {number}: {line!r} is not id, clear and borderline codes; separate by tabs")
        clear, borderline = ([] if cell == "-" else cell.split(",") for cell in cells[1:])
        unknown = sorted({*clear, *borderline} - NAME_OF_CODE.keys())
        if unknown:
            raise InputError(f"{file}, line {number}: {unknown[0]!r} is no code; CODEBOOK.md lists them")
        labels[cells[0]] = Labels(tuple(NAME_OF_CODE[c] for c in clear), tuple(NAME_OF_CODE[c] for c in borderline))
    return labels


def find(ids: Sequence[str], sources: Sequence[Path]) -> Found:
    """Looks for sentences by id.

    Args:
        ids: The ids wanted.
        sources: Files or folders.

    Raises:
        InputError: A source is not there, or a JSON file is none.
    """
    wanted = set(ids)
    texts: dict[str, str] = {}
    counts: dict[Path, int] = {}
    skipped: list[Path] = []
    for source in sources:
        if not source.exists():
            raise InputError(f"{source}: no such file or folder; download the corpus and name its place")
        own = set()
        for file in sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]:
            if source.is_dir() and _suffix(file) not in SUFFIXES:
                skipped.append(file)
                continue
            for text in read_texts(file):
                for candidate in candidates(text):
                    key = sentence_id(candidate)
                    if key in wanted:
                        own.add(key)
                        texts.setdefault(key, " ".join(candidate.split()))
        counts[source] = len(own)
    found = {key: texts[key] for key in ids if key in texts}
    return Found(found, counts, tuple(key for key in ids if key not in texts), tuple(skipped))


def candidates(text: str) -> Iterator[str]:
    """The text, its lines and its sentences, with line ends as they are and as spaces: whatever may have been read."""
    yield text
    yield from (span.text for span in split_sentences(text))
    if "\n" in text:
        yield from text.splitlines()
        for block in re.split(r"\n\s*\n", text):
            yield from (span.text for span in split_sentences(" ".join(block.split())))


def read_texts(file: Path) -> Iterator[str]:
    """Every text of a file: all of a plain one, each cell of a table, each string in JSON.

    Raises:
        InputError: JSON that cannot be read.
    """
    # A character that cannot be decoded changes the id, so that its sentence is missing rather than wrong.
    with (
        gzip.open(file, "rt", encoding="utf-8-sig", errors="replace", newline="")
        if file.suffix == ".gz"
        else file.open(encoding="utf-8-sig", errors="replace", newline="")
    ) as stream:
        suffix = _suffix(file)
        if suffix in TABLES:
            csv.field_size_limit(sys.maxsize)
            for row in csv.reader(stream, delimiter=TABLES[suffix]):
                yield from row
        elif suffix == ".json":
            yield from _strings(_parse(stream.read(), str(file)))
        elif suffix in {".jsonl", ".ndjson"}:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield from _strings(_parse(line, f"{file}, line {number}"))
        else:
            yield stream.read()


def _suffix(file: Path) -> str:
    return Path(file.stem if file.suffix == ".gz" else file.name).suffix.lower()


def _parse(text: str, where: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON ({error}); download it again or rename it to .txt") from error


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def write(found: Found, labels: Mapping[str, Labels], out: Path) -> Path:
    """Writes the labelled sentences as JSONL, and the missing ids beside them.

    Returns:
        The file of missing ids, one a line; empty if none is missing.
    """
    rows = (
        {"id": key, "text": text, "labels": list(labels[key].clear), "borderline": list(labels[key].borderline)}
        for key, text in found.texts.items()
    )
    missing = out.with_name(f"{out.name}.missing.txt")
    _replace(missing, "".join(f"{key}\n" for key in found.missing))
    _replace(out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return missing


def _replace(file: Path, text: str) -> None:
    part = file.with_name(f"{file.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)


def main() -> int:
    """Finds, writes and says what was found where."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "sources", nargs="+", type=Path, metavar="SOURCE", help="a downloaded file, or a folder of them"
    )
    parser.add_argument("-o", "--out", type=Path, required=True, help="JSONL to write: id, text, labels, borderline")
    parser.add_argument("--annotations", type=Path, default=ANNOTATIONS, help="folder of standoff files")
    options = parser.parse_args()
    try:
        labels = read_labels(options.annotations)
        found = find(list(labels), options.sources)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    missing = write(found, labels, options.out)
    for source, count in found.counts.items():
        print(f"{count:7,}  {source}")
    print(f"{len(found.texts):7,}  of {len(labels):,} sentences in {options.out}")
    if found.missing:
        print(f"{len(found.missing):7,}  missing, listed in {missing}")
    if found.skipped:
        print(f"{len(found.skipped):7,}  files not read, of a format unknown here; the first is {found.skipped[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
