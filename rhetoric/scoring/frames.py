"""DataFrame in, DataFrame out: pandas, polars and pyarrow, told by the type's package; none of them is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from rhetoric.errors import InputError
from rhetoric.scoring.columns import Added, Layout, Outcome, added_columns, arrow_type, check_collisions
from rhetoric.scoring.options import Options
from rhetoric.scoring.outcomes import predicted
from rhetoric.scoring.records import text_problem
from rhetoric.scoring.schema import guess_text_column, is_text

if TYPE_CHECKING:
    from rhetoric.tagger import RhetoricTagger

__all__ = ["check_for_frame", "score_frame"]


class _Adapter(Protocol):
    """A frame of some package.

    Attributes:
        names: Its columns.
        texts: Those that hold text.
    """

    names: tuple[str, ...]
    texts: tuple[str, ...]

    def values(self, name: str) -> Sequence[Any]:
        """Values of a column."""

    def joined(self, added: Added, layout: Layout) -> Any:
        """Rows `added.source` with the added columns."""


Frame = TypeVar("Frame")
# Options of a job that mean nothing for a frame.
FILE_OPTIONS = ("id_column", "input_format", "format", "documents")


def check_for_frame(options: Options) -> None:
    """Refuses options that mean nothing for a frame.

    Raises:
        InputError: One of them is set.
    """
    for name in FILE_OPTIONS:
        if getattr(options, name):
            raise InputError(f"{name}={getattr(options, name)!r} is for files; remedy: leave it out for a frame")


def score_frame(tagger: RhetoricTagger, frame: Frame, *, options: Options) -> Frame:
    """Scores a frame; `RhetoricTagger.score_frame` describes the arguments.

    Args:
        tagger: The tagger.
        frame: pandas or polars DataFrame, or pyarrow Table.
        options: What to do.

    Returns:
        A new frame of the same kind: its columns, then the added ones.

    Raises:
        InputError: It is no such frame, an option is unusable, or a column is missing or taken.
    """
    check_for_frame(options)
    adapters: dict[str, Callable[[Any], _Adapter]] = {
        "pandas.DataFrame": _Pandas,
        "polars.DataFrame": _Polars,
        "pyarrow.Table": _Arrow,
    }
    names = (f"{base.__module__.split('.')[0]}.{base.__name__}" for base in type(frame).__mro__)
    kind = next((adapters[name] for name in names if name in adapters), None)
    if kind is None:
        raise InputError(
            f"a {type(frame).__name__} is no frame; remedy: a pandas or polars DataFrame (of a LazyFrame, collect() "
            "it) or a pyarrow Table, or predict(texts)"
        )
    adapter = kind(frame)
    layout = Layout.of(options, tagger.labels)
    text = guess_text_column(adapter.names, adapter.texts, options.text_column, "the frame", lambda line: None)
    check_collisions(adapter.names, [field.name for field in layout.fields], where="the frame")
    values = adapter.values(text)
    problems = [text_problem(value) for value in values]
    if options.on_error == "fail":
        _refuse_bad(problems)
    good = predicted(tagger, (value for value, problem in zip(values, problems, strict=True) if not problem), options)
    outcomes: list[Outcome] = [problem or next(good) for problem in problems]
    if options.on_error == "fail":
        _refuse_bad(outcomes)
    if options.on_error == "skip":
        rows = [row for row, outcome in enumerate(outcomes) if not isinstance(outcome, str)]
        added = added_columns([outcomes[row] for row in rows], layout)
        added = Added([rows[i] for i in added.source], added.columns)
    else:
        added = added_columns(outcomes, layout)
    result: Frame = adapter.joined(added, layout)
    return result


def _refuse_bad(outcomes: Sequence[Outcome | None]) -> None:
    for row, outcome in enumerate(outcomes):
        if isinstance(outcome, str):
            raise InputError(f"row {row} of the frame: {outcome}; remedy: drop it, or on_error='null'")


class _Pandas:
    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self.names = tuple(map(str, frame.columns))
        self.texts = tuple(str(name) for name, kind in frame.dtypes.items() if kind == object or kind == "string")  # noqa: E721

    def values(self, name: str) -> Sequence[Any]:
        place = self.names.index(name)
        values: list[Any] = self._frame.iloc[:, place].tolist()
        return values

    def joined(self, added: Added, layout: Layout) -> Any:
        import pandas

        taken = self._frame.iloc[added.source]
        kinds = {"names": object, "score": "float32", "flag": "boolean", "text": object, "number": "Int64"}
        columns = {
            field.name: pandas.Series(added.columns[field.name], index=taken.index, dtype=kinds[field.kind])
            for field in layout.fields
        }
        return pandas.concat([taken, pandas.DataFrame(columns, index=taken.index)], axis=1)


class _Polars:
    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self.names = tuple(frame.columns)
        self.texts = tuple(name for name, kind in frame.schema.items() if str(kind) in ("String", "Utf8"))

    def values(self, name: str) -> Sequence[Any]:
        values: list[Any] = self._frame[name].to_list()
        return values

    def joined(self, added: Added, layout: Layout) -> Any:
        import polars

        kinds: dict[str, Any] = {
            "names": polars.List(polars.String),
            "score": polars.Float32,
            "flag": polars.Boolean,
            "text": polars.String,
            "number": polars.Int64,
        }
        columns = [polars.Series(f.name, added.columns[f.name], dtype=kinds[f.kind]) for f in layout.fields]
        return self._frame[added.source].hstack(columns)


class _Arrow:
    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self.names = tuple(frame.column_names)
        self.texts = tuple(field.name for field in frame.schema if is_text(field.type))

    def values(self, name: str) -> Sequence[Any]:
        values: list[Any] = self._frame.column(name).to_pylist()
        return values

    def joined(self, added: Added, layout: Layout) -> Any:
        import pyarrow

        table = self._frame.take(pyarrow.array(added.source, pyarrow.int64()))
        for field in layout.fields:
            column = pyarrow.array(added.columns[field.name], arrow_type(pyarrow, field.kind))
            table = table.append_column(field.name, column)
        return table
