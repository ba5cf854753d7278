"""Frames are scored in whatever process they are in: for the workers of Ray, Spark, Dask and their like."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from rhetoric.errors import ModelError
from rhetoric.model_folder import locate_model, read_model_folder
from rhetoric.scoring.frames import check_for_frame
from rhetoric.scoring.options import Options
from rhetoric.tagger import RhetoricTagger

__all__ = ["BatchScorer", "EngineSettings", "everywhere", "load_tagger"]

Frame = TypeVar("Frame")


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What to load in a process.

    Attributes:
        model: As in `RhetoricTagger.from_pretrained`.
        threads: Processor threads.
        device: "cpu" or "cuda".
        name: "onnx", "openvino" or "torch": settled by who starts the job, so that no machine chooses for itself.
        digest: Of the model that every process must have; None for any.
    """

    model: str | None
    threads: int
    device: str
    name: str
    digest: str | None = None


@lru_cache(maxsize=1)
def load_tagger(engine: EngineSettings) -> RhetoricTagger:
    """The tagger of this process.

    Raises:
        ModelError: The model is missing, or not the one the job was started with.
    """
    # The tokenizer asks for its threads when it first works, and would take every core of the machine.
    os.environ["RAYON_NUM_THREADS"] = str(engine.threads)
    if engine.digest is not None and read_model_folder(locate_model(engine.model)).digest != engine.digest:
        raise ModelError(
            f"the model {engine.model or 'that ships with the package'} on {platform.node()} is not the one the job "
            "was started with; remedy: the same version and the same files on every machine"
        )
    return RhetoricTagger.from_pretrained(
        engine.model, device=engine.device, engine=engine.name, threads=engine.threads
    )


_loading = threading.Lock()


class BatchScorer:
    """Scores frames; for the workers of Ray, Spark, Dask and their like.

    It can be pickled: what travels is the settings, and a worker loads the model when it gets its first frame, once a
    process. The frame that comes back is of the kind that went in, its own columns first.

    Args:
        text_column: Column of the text; None to guess it.
        model: As in `RhetoricTagger.from_pretrained`; a folder must be there on every machine.
        threads: Processor threads, as many as the worker owns.
        device: "cpu", or "cuda" for a worker that owns a GPU.
        engine: None for "onnx" on a processor and "torch" elsewhere: fixed, so that all machines score alike.
        digest: SHA-256 digest of the model folder that a worker must have; None for any.
        **options: As in `RhetoricTagger.score_frame`.

    Raises:
        InputError: An option is unknown, impossible, or for files.
    """

    def __init__(
        self,
        text_column: str | None = None,
        *,
        model: str | Path | None = None,
        threads: int = 1,
        device: str = "cpu",
        engine: str | None = None,
        digest: str | None = None,
        **options: Any,
    ) -> None:
        check_for_frame(Options.of({"text_column": text_column, **options}))
        name = engine or ("onnx" if device == "cpu" else "torch")
        self._engine = EngineSettings(everywhere(model), threads, device, name, digest)
        self._options = {"text_column": text_column, **options}

    def __call__(self, frame: Frame) -> Frame:
        """Scores a pandas or polars DataFrame or a pyarrow Table; see `RhetoricTagger.score_frame`."""
        with _loading:
            tagger = load_tagger(self._engine)
        return tagger.score_frame(frame, **self._options)

    def stream(self, frames: Iterator[Any]) -> Iterator[Any]:
        """Scores frame by frame: what Spark's `mapInArrow` and `mapInPandas` ask for.

        Arrow keeps the other columns as they are; pandas has no integers with nulls, and makes fractions of them.

        Args:
            frames: pandas DataFrames, or pyarrow RecordBatches.

        Yields:
            The same, with the added columns.
        """
        for frame in frames:
            if type(frame).__name__ == "RecordBatch":
                import pyarrow

                yield from self(pyarrow.Table.from_batches([frame])).to_batches()
            else:
                yield self(frame)


def everywhere(model: str | Path | None) -> str | None:
    """The name of a model for processes with other working folders."""
    if model is None:
        return None
    return str(Path(model).absolute()) if Path(model).is_dir() else str(model)
