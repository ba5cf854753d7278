"""From predictions to the columns that a job adds: the one place that knows the layouts.

Pure functions on plain values, so that every runner (files, frames, a cluster) writes the same columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from rhetoric.errors import InputError
from rhetoric.prediction import Prediction
from rhetoric.scoring.options import Options

__all__ = ["SENTENCE_FIELDS", "Added", "Field", "Layout", "Outcome", "added_columns", "arrow_type", "check_collisions"]

Kind = Literal["names", "score", "flag", "text", "number"]
Outcome: TypeAlias = "Prediction | str"


@dataclass(frozen=True, slots=True)
class Field:
    """An added column.

    Attributes:
        name: Its name in the output, prefix included.
        kind: "names" (list of str), "score" (float32), "flag" (bool), "text" (str) or "number" (int64); any
            value may be None.
    """

    name: str
    kind: Kind


# What stands in front of the input's own columns when a row is a sentence of a document.
SENTENCE_FIELDS = (
    Field("document", "text"),
    Field("sentence", "number"),
    Field("start", "number"),
    Field("end", "number"),
    Field("text", "text"),
    Field("quoted", "flag"),
    Field("speaker", "text"),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns are added and how.

    Attributes:
        kind: "wide", "long" or "labels-only".
        labels: Label names of the model, in its order.
        top: Most labels given to a row; None for no limit.
        decimals: Decimals of the probabilities; None for all of a float32.
        prefix: Put before each name.
    """

    kind: str
    labels: tuple[str, ...]
    top: int | None = None
    decimals: int | None = None
    prefix: str = ""

    @classmethod
    def of(cls, options: Options, labels: Sequence[str]) -> Layout:
        """The layout that the options of a job ask for."""
        return cls(options.layout, tuple(labels), options.top, options.round, options.prefix)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The added columns in order."""
        last: list[tuple[str, Kind]] = [("truncated", "flag"), ("error", "text")]
        columns: list[tuple[str, Kind]]
        if self.kind == "wide":
            columns = [("labels", "names"), *((name, "score") for name in self.labels), ("uncertain", "names"), *last]
        elif self.kind == "long":
            columns = [("label", "text"), ("score", "score"), ("uncertain", "flag"), *last]
        else:
            columns = [("labels", "names"), ("error", "text")]
        return tuple(Field(self.prefix + name, kind) for name, kind in columns)


@dataclass(frozen=True, slots=True)
class Added:
    """Added columns of some rows.

    Attributes:
        source: Index of the input row of each output row, ascending; under "long" a row may occur several times.
        columns: Values of each added column, as long as `source`, keyed by name in order.
    """

    source: list[int]
    columns: dict[str, list[Any]]


def added_columns(outcomes: Sequence[Outcome], layout: Layout) -> Added:
    """Lays out predictions.

    Args:
        outcomes: For each input row its prediction, or the reason why there is none.
        layout: The columns wanted.

    Returns:
        One output row an input row; under "long" one a label given, and one without a label for a row that
        has none, so that no input row disappears.
    """
    lay = {"wide": _wide, "long": _long}.get(layout.kind, _labels_only)
    source: list[int] = []
    rows: list[tuple[Any, ...]] = []
    for index, outcome in enumerate(outcomes):
        laid = lay(outcome, layout)
        rows += laid
        source += [index] * len(laid)
    names = [field.name for field in layout.fields]
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return Added(source, {name: list(values) for name, values in zip(names, columns, strict=True)})


def _wide(outcome: Outcome, layout: Layout) -> list[tuple[Any, ...]]:
    if isinstance(outcome, str):
        return [(None,) * (len(layout.labels) + 3) + (outcome,)]
    scores = [_digits(outcome.scores[name], layout.decimals) for name in layout.labels]
    return [(_given(outcome, layout), *scores, list(outcome.uncertain), outcome.truncated, None)]


def _long(outcome: Outcome, layout: Layout) -> list[tuple[Any, ...]]:
    if isinstance(outcome, str):
        return [(None, None, None, None, outcome)]
    rows: list[tuple[Any, ...]] = [
        (name, _digits(outcome.scores[name], layout.decimals), name in outcome.uncertain, outcome.truncated, None)
        for name in _given(outcome, layout)
    ]
    return rows or [(None, None, None, outcome.truncated, None)]


def _labels_only(outcome: Outcome, layout: Layout) -> list[tuple[Any, ...]]:
    return [(None, outcome)] if isinstance(outcome, str) else [(_given(outcome, layout), None)]


def _given(prediction: Prediction, layout: Layout) -> list[str]:
    return list(prediction.labels[: layout.top])


def _digits(score: float, decimals: int | None) -> float:
    # Nine significant digits tell any two float32 apart; the digits of a double would be noise.
    return float(f"{score:.9g}") if decimals is None else round(score, decimals)


def check_collisions(own: Sequence[str], added: Sequence[str], *, where: str) -> None:
    """Refuses an input that has a column of the name of an added one.

    Args:
        own: Columns of the input that go into the output.
        added: Columns that the job adds.
        where: The input, for the message.

    Raises:
        InputError: A name is in both.
    """
    both = [name for name in own if name in added]
    if both:
        raise InputError(
            f"{where} has {'columns' if len(both) > 1 else 'a column'} {', '.join(map(repr, both))} already, which "
            "scoring adds; remedy: --prefix rhetoric_ (Python: prefix='rhetoric_'), or another --layout"
        )


def arrow_type(pyarrow: Any, kind: Kind) -> Any:
    """The Arrow type of an added column."""
    types: Mapping[Kind, Any] = {
        "names": pyarrow.list_(pyarrow.string()),
        "score": pyarrow.float32(),
        "flag": pyarrow.bool_(),
        "text": pyarrow.string(),
        "number": pyarrow.int64(),
    }
    return types[kind]
