"""What a scoring job is asked to do, checked before anything is read."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from numbers import Integral
from typing import Any

from rhetoric.batching import ON_LONG, OnLong
from rhetoric.errors import InputError

__all__ = ["FORMATS", "INPUT_FORMATS", "LAYOUTS", "ON_ERROR", "Options"]

INPUT_FORMATS = ("csv", "tsv", "jsonl", "parquet", "txt")
FORMATS = ("csv", "tsv", "jsonl", "parquet")
LAYOUTS = ("wide", "long", "labels-only")
ON_ERROR = ("null", "skip", "fail")
_CHOICES: Mapping[str, Sequence[str]] = {
    "layout": LAYOUTS,
    "on_error": ON_ERROR,
    "on_long": ON_LONG,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of a job.

    Attributes:
        text_column: Column of the text; None to guess it.
        id_column: Column that names a row in the quarantine, and a document under `documents`.
        input_format: One of `INPUT_FORMATS`, for files whose name does not say, and for standard input.
        format: One of `FORMATS`; None to tell it from the output's name.
        layout: "wide" (a column a label), "long" (a row a label given), or "labels-only".
        documents: Texts are documents: a row of the output is a sentence.
        top: Most labels given to a row, the strongest; None for all over their thresholds.
        threshold: Probability for all labels, or by label; None for the model's own.
        round: Decimals of the probabilities; None for all that a float32 has.
        prefix: Put before the name of each added column.
        on_error: What becomes of a row that cannot be scored: kept with null labels and a reason ("null"),
            moved to the quarantine file ("skip"), or the end of the job ("fail").
        on_long: "window" or "truncate", as in `RhetoricTagger.predict`; "error" makes a text that is longer than the
            model reads at once a row that cannot be scored.
    """

    text_column: str | None = None
    id_column: str | None = None
    input_format: str | None = None
    format: str | None = None
    layout: str = "wide"
    documents: bool = False
    top: int | None = None
    threshold: float | Mapping[str, float] | None = None
    round: int | None = None
    prefix: str = ""
    on_error: str = "null"
    on_long: OnLong = "window"

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            _check_choice(name, getattr(self, name), choices)
        if self.input_format is not None:
            _check_choice("input_format", self.input_format, INPUT_FORMATS)
        if self.format is not None:
            _check_choice("format", self.format, FORMATS)
        if self.top is not None and not (isinstance(self.top, Integral) and self.top >= 1):
            raise InputError(f"top={self.top!r} is not possible; remedy: a number from 1, or leave it out")
        if self.round is not None and not (isinstance(self.round, Integral) and 0 <= self.round <= 9):
            raise InputError(f"round={self.round!r} is not possible; remedy: 0 to 9 decimals, or leave it out")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Options from keyword arguments.

        Raises:
            InputError: An option is unknown or impossible.
        """
        names = [field.name for field in fields(cls)]
        for name in given:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"remedy: one of {', '.join(names)}"
                raise InputError(f"unknown option {name!r}; {hint}")
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`: numbers of numpy become Python's."""
        plain = asdict(self)
        if isinstance(self.threshold, Mapping):
            plain["threshold"] = {name: float(value) for name, value in sorted(self.threshold.items())}
        elif self.threshold is not None:
            plain["threshold"] = float(self.threshold)
        for name in ("top", "round"):
            if plain[name] is not None:
                plain[name] = int(plain[name])
        return plain


def _check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    if value not in choices:
        raise InputError(f"{name}={value!r} is unknown; remedy: one of {', '.join(choices)}")
