"""The rows the released model is trained on: the corpus, the labels read since, and the sentences written for it.

Texts of the corpus are not part of this repository; labels are, as standoff (id and codes), and are joined with
the texts of a corpus folder by id.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rhetoric.taxonomy import LABELS, TAXONOMY

HERE = Path(__file__).parent
ANNOTATIONS = HERE / "annotations"
HELD_OUT = HERE / "held_out.tsv"
POOL = "pool.jsonl.gz"  # in the corpus folder
NAME_OF_CODE = {row.code: row.name for row in TAXONOMY}
# Target of a cell on which careful readers would split.
BORDERLINE = 0.4
# States, capitals and surnames put into the written sentences, so that no name goes with a label.
STATES = [
    ("Argentina", "Buenos Aires"), ("Brazil", "Brasília"), ("Canada", "Ottawa"), ("China", "Beijing"),
    ("Egypt", "Cairo"), ("Ethiopia", "Addis Ababa"), ("France", "Paris"), ("Germany", "Berlin"), ("Greece", "Athens"),
    ("India", "New Delhi"), ("Iran", "Tehran"), ("Israel", "Jerusalem"), ("Italy", "Rome"), ("Japan", "Tokyo"),
    ("Kenya", "Nairobi"), ("Mexico", "Mexico City"), ("Morocco", "Rabat"), ("Nigeria", "Abuja"),
    ("Pakistan", "Islamabad"), ("Poland", "Warsaw"), ("Russia", "Moscow"), ("Serbia", "Belgrade"),
    ("South Korea", "Seoul"), ("Spain", "Madrid"), ("Sudan", "Khartoum"), ("Turkey", "Ankara"), ("Ukraine", "Kyiv"),
    ("the United Kingdom", "London"), ("the United States", "Washington"), ("Venezuela", "Caracas"),
    ("Vietnam", "Hanoi"), ("Norland", "Skarn"), ("Estmark", "Port Aldane"),
]  # fmt: skip
SURNAMES = [
    "Varga", "Halik", "Okoye", "Tanaka", "Moreau", "Silva", "Petrov", "Haddad", "Novak", "Lindqvist", "Rahman", "Costa",
    "Weber", "Mbeki", "Park", "Dimitriou", "Castro", "Johnson", "Orlov", "Nguyen", "Kaya", "Sharma", "Trump", "Putin",
    "Merz", "Macron", "Biden", "Zelensky", "Xi", "Modi", "Erdogan", "Lula",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled sentences.

    Attributes:
        texts: The sentences.
        targets: (n, 12) float32 in [0, 1]: 1 clear, `BORDERLINE` borderline, 0 absent.
        source: Where each row comes from.
    """

    texts: list[str]
    targets: npt.NDArray[np.float32]
    source: list[str]

    @property
    def clear(self) -> npt.NDArray[np.bool_]:
        """(n, 12): whether the label is clear."""
        return np.equal(self.targets, 1)

    @property
    def evaluated(self) -> npt.NDArray[np.bool_]:
        """(n, 12): whether the cell counts in evaluation, which borderline ones do not."""
        masked: npt.NDArray[np.bool_] = self.targets == np.float32(BORDERLINE)
        return ~masked

    def take(self, of: Sequence[int]) -> Rows:
        """The rows of these numbers."""
        return Rows([self.texts[i] for i in of], self.targets[of], [self.source[i] for i in of])


def make_rows(items: Iterator[tuple[str, list[str], list[str], str]]) -> Rows:
    """Rows from (text, clear labels, borderline labels, source)."""
    texts, targets, sources = [], [], []
    for text, clear, borderline, source in items:
        target = np.zeros(len(LABELS), np.float32)
        target[[LABELS.index(name) for name in borderline]] = BORDERLINE
        target[[LABELS.index(name) for name in clear]] = 1
        texts.append(text)
        targets.append(target)
        sources.append(source)
    return Rows(texts, np.array(targets), sources)


def join(*parts: Rows) -> Rows:
    """One set of rows after the other."""
    return Rows(
        [text for part in parts for text in part.texts],
        np.concatenate([part.targets for part in parts]),
        [source for part in parts for source in part.source],
    )


def some(rows: Rows, count: int, rng: random.Random) -> Rows:
    """Rows drawn at random."""
    return rows.take(rng.sample(range(len(rows.texts)), count))


def telling(rows: Rows, share: float, seed: int) -> Rows:
    """All rows with a label, clear or borderline, and a share of the others, which teach least."""
    plain = rows.targets.max(axis=1) == 0
    return rows.take(np.flatnonzero(~plain | (np.random.default_rng(seed).random(len(plain)) < share)).tolist())


def read_corpus(file: Path) -> Rows:
    """Labelled rows of the corpus (`train.jsonl`, `dev.jsonl`), or of examples/labelled.jsonl."""
    return make_rows((r["text"], r["labels"], r["borderline"], r.get("source", "")) for r in _json_lines(file))


def read_annotations(pool: Path, first: int = 1, last: int | None = None) -> Rows:
    """The labels of `annotations/pool_*.tsv`, from the first to the last number, joined with the pool's texts by id."""
    files = {int(file.stem.removeprefix("pool_")): file for file in ANNOTATIONS.glob("pool_*.tsv")}
    numbers = [number for number in sorted(files) if first <= number and (last is None or number <= last)]
    return _joined([files[number] for number in numbers], pool)


def read_held_out(pool: Path) -> Rows:
    """The labels of `held_out.tsv`, which no model was trained on, joined with the pool's texts by id."""
    return _joined([HELD_OUT], pool)


def _joined(files: Sequence[Path], pool: Path) -> Rows:
    labels: dict[str, tuple[list[str], list[str]]] = {}
    for file in files:
        for line in _lines(file):
            key, clear, borderline = line.split("\t")
            labels[key] = _names(clear), _names(borderline)
    texts = {row["id"]: row for row in _json_lines(pool) if row["id"] in labels}
    missing = labels.keys() - texts.keys()
    if missing:
        raise ValueError(f"{len(missing)} annotated ids are not in {pool}, the first is {min(missing)}")
    for key, row in texts.items():
        if sentence_id(row["text"]) != key:
            raise ValueError(f"{pool}: the text of {key} has the id {sentence_id(row['text'])}")
    return make_rows((texts[key]["text"], *labels[key], texts[key]["source"]) for key in labels)


def read_genres(file: Path) -> list[str]:
    """Genre of each row of a corpus file."""
    return [row["genre"] for row in _json_lines(file)]


def read_pool(corpus: Path) -> list[str]:
    """Unlabelled sentences of the pool, without those annotated or held out and those of a document that is in dev."""
    documents = {row["document"] for row in _json_lines(corpus / "dev.jsonl")}
    taken = {row["id"] for name in ("train", "dev") for row in _json_lines(corpus / f"{name}.jsonl")}
    taken |= {line.split("\t")[0] for file in [*ANNOTATIONS.glob("pool_*.tsv"), HELD_OUT] for line in _lines(file)}
    rows = _json_lines(corpus / POOL)
    return [row["text"] for row in rows if row["id"] not in taken and row["document"] not in documents]


def read_written(copies: int, seed: int, file: Path = HERE / "written.tsv") -> Rows:
    """The sentences written for this project, each with `copies` different sets of names."""
    rng = random.Random(seed)

    def items() -> Iterator[tuple[str, list[str], list[str], str]]:
        for line in _lines(file):
            if line.startswith("#"):
                continue
            clear, borderline, template = line.split("\t")
            varied = re.search(r"\{\w\}", template) is not None
            for _ in range(copies if varied else max(1, copies // 2)):
                yield fill(template, rng), _names(clear), _names(borderline), "written"

    return make_rows(items())


def fill(template: str, rng: random.Random) -> str:
    """Puts states, capitals and surnames into a template."""
    states = rng.sample(STATES, 3)
    people = rng.sample(SURNAMES, 2)
    names = dict(zip("ABC", (state for state, _ in states), strict=True))
    names |= dict(zip("abc", (capital for _, capital in states), strict=True))
    names |= dict(zip("PR", people, strict=True))
    text = re.sub(r"\{(\w)\}", lambda match: names[match[1]], template)
    return text[0].upper() + text[1:]


def sentence_id(text: str) -> str:
    """First 12 hex digits of the SHA-1 of the sentence, NFKC-normalised, white space collapsed."""
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    return hashlib.sha1(plain.encode(), usedforsecurity=False).hexdigest()[:12]


def _names(codes: str) -> list[str]:
    return [] if codes == "-" else [NAME_OF_CODE[code] for code in codes.split(",")]


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def _json_lines(file: Path) -> Iterator[dict[str, Any]]:
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)
