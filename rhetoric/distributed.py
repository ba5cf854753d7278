"""Beyond one machine, on engines that exist: Ray Data here, Spark and Dask through `BatchScorer`.

`score_dataset` puts a `BatchScorer` into the actors of a Ray dataset. `score_files` is the scoring of files on a Ray
cluster: tasks read, actors score, and every part of every file becomes a Parquet file of its own, which is written
whole or not at all, so that a job goes on from the parts that are there, whatever died.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rhetoric.batch_scorer import BatchScorer, EngineSettings, everywhere, load_tagger
from rhetoric.errors import InputError, JobError, RhetoricError, require
from rhetoric.machine import usable_cores
from rhetoric.model_folder import locate_model, read_model_folder
from rhetoric.scoring.columns import Layout, check_collisions
from rhetoric.scoring.options import Options
from rhetoric.scoring.parts import (
    MissingPart,
    Part,
    check_whole,
    finish,
    is_moved,
    make_folders,
    open_folder,
    read_parts,
    rows_and_bytes,
    score_part,
)
from rhetoric.scoring.plan import Plan, make_plan
from rhetoric.scoring.progress import Meter, Progress, taken_up
from rhetoric.scoring.schema import guess_text_column
from rhetoric.scoring.sources import Say
from rhetoric.scoring.store import Store
from rhetoric.scoring.summary import Summary
from rhetoric.tagger import RhetoricTagger

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["BatchScorer", "score_dataset", "score_files"]

# Rows that go to an actor at once, and into a file: half a minute of one core, which is what a dead actor costs.
PART_ROWS = 10_000
# What Ray calls columns of text, which may be Arrow's or those of pandas.
TEXTS = frozenset({"string", "large_string", "string_view", "str", "object"})


def score_dataset(
    dataset: Any,
    text_column: str | None = None,
    *,
    model: str | Path | None = None,
    cpus: int = 1,
    gpus: float = 0,
    actors: int | None = None,
    batch_size: int = 4096,
    **options: Any,
) -> Any:
    """Scores a Ray dataset with actors that hold one engine each.

    Args:
        dataset: A `ray.data.Dataset` with a text column; its schema is asked for.
        text_column: Column of the text; None to guess it.
        model: As in `RhetoricTagger.from_pretrained`; a folder must be there on every machine.
        cpus: Cores an actor owns, which are the threads of its engine.
        gpus: GPUs an actor owns; 0 computes on processors.
        actors: Most actors at once; None for as many as the cluster has room for.
        batch_size: Rows an actor scores at once.
        **options: As in `RhetoricTagger.score_frame`.

    Returns:
        A dataset, computed when it is read: the columns of `dataset`, then the added ones.

    Raises:
        ExtraError: Ray is not installed.
        InputError: An option is unusable, a column is missing or taken, or the cluster has no room for an actor.
        ModelError: The model is missing or damaged.
    """
    data, ray = require("ray.data", extra="ray"), require("ray", extra="ray")
    wanted = Options.of({"text_column": text_column, **options})
    folder = read_model_folder(locate_model(model))
    schema = dataset.schema()
    columns = dict(zip(schema.names, map(str, schema.types), strict=True)) if schema else {}
    texts = [name for name, kind in columns.items() if kind in TEXTS]
    text = guess_text_column(tuple(columns), texts, text_column, "the dataset", lambda line: None)
    added = [field.name for field in Layout.of(wanted, folder.names).fields]
    check_collisions(tuple(columns), added, where="the dataset")
    room = _room(ray, cpus, gpus, actors)
    return dataset.map_batches(
        BatchScorer,
        fn_constructor_args=(text,),
        fn_constructor_kwargs={
            "model": everywhere(model),
            "threads": cpus,
            "device": "cuda" if gpus else "cpu",
            "digest": folder.digest,
            **options,
        },
        batch_size=batch_size,
        batch_format="pyarrow",
        num_cpus=cpus,
        num_gpus=gpus or None,
        # A pool that grows leaves cores to the stages before it, without which it would wait for ever.
        compute=data.ActorPoolStrategy(min_size=1, max_size=room),
    )


def score_files(
    inputs: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    model: str | Path | None = None,
    address: str | None = None,
    cpus: int = 1,
    gpus: float = 0,
    part_rows: int = PART_ROWS,
    restart: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    say: Say | None = None,
    **options: Any,
) -> Summary:
    """Scores files on a Ray cluster into a folder of Parquet files.

    The rows, columns and scores are those of `RhetoricTagger.score_file` with a Parquet output; the files of the
    folder, read in the order of their names, have the rows in the order of the input. A job that was killed goes on
    when it is called again: parts that are there are read past, not scored again.

    Args:
        inputs: As in `RhetoricTagger.score_file`, without "-"; every machine must see them under the same path.
        output: Folder to make, which every machine must see under the same path; it appears when it is whole.
        model: As in `RhetoricTagger.from_pretrained`; a folder must be there on every machine.
        address: Of a Ray cluster; None for the one of this process or `RAY_ADDRESS`, or else this machine alone.
        cpus: Cores an actor owns, which are the threads of its engine.
        gpus: GPUs an actor owns; 0 computes on processors.
        part_rows: Rows of a part, which is what an engine does at once and what its death costs. Larger parts make
            fewer files, which jobs on thousands of cores want.
        restart: Throw away an unfinished job of this output.
        force: Replace a folder of parts.
        progress: Called as parts are finished.
        say: Called with lines the user should read.
        **options: See `rhetoric.scoring.Options`.

    Returns:
        The figures of the job.

    Raises:
        ExtraError: Ray is not installed.
        InputError: Inputs, output or options are unusable, or an unfinished job of this output is another.
        ModelError: The model is missing, or not the same on every machine.
        JobError: The cluster cannot be reached, or the job cannot go on; finished parts stay.
    """
    target, say = Path(output).absolute(), say or (lambda line: None)
    names = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
    if "-" in (str(output), *map(str, names)) or target.suffix in (".csv", ".tsv", ".jsonl", ".parquet"):
        raise InputError(f"{output}: a cluster reads files and writes a folder of Parquet files; remedy: -o FOLDER")
    wanted = Options.of(options | {"format": options.get("format") or "parquet"})
    if wanted.format != "parquet":
        raise InputError(f"format={wanted.format!r} is not possible on a cluster; remedy: leave it out, for Parquet")
    require("ray.data", extra="ray")
    tagger = RhetoricTagger.from_pretrained(model, device="cpu", threads=cpus)
    tagger.predict([], threshold=wanted.threshold)  # an impossible threshold is told now
    name = "torch" if gpus else tagger.choice.engine
    digest = read_model_folder(locate_model(model)).digest
    engine = EngineSettings(everywhere(model), cpus, "cuda" if gpus else "cpu", name, digest)
    with open_folder(target, restart=restart, force=force) as folder:
        about = {"labels": list(tagger.labels), "digest": digest, "engine": name}
        plan = make_plan(tagger, names, target, folder, wanted, about, say)
        # Workers have working folders of their own.
        plan = replace(plan, sources=[replace(source, path=source.path.absolute()) for source in plan.sources])
        inside = next((source.name for source in plan.sources if target in source.path.parents), None)
        if inside:
            raise InputError(f"{inside} is input and part of the output at once; remedy: another output")
        store = Store(target, folder)
        resumed = store.begin(plan.identity | {"part_rows": part_rows})
        if not is_moved(store):
            make_folders(folder)
            if resumed:
                rows = rows_and_bytes(folder)[0]
                store.state.tally.resumed += rows > 0
                say(taken_up(rows))
            with _cluster(address) as ray:
                _score_all(ray, plan, engine, store, part_rows, gpus, progress, say)
        return finish(plan, store)


class _GaveUp(JobError):
    """Ray ended the job, for a reason of its own: often more of its machines died than it can replace."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the cluster gave up ({reason}); remedy: run the same command again, which goes on")
        self.reason = reason


def _score_all(
    ray: Any,
    plan: Plan,
    engine: EngineSettings,
    store: Store,
    part_rows: int,
    gpus: float,
    progress: Progress | None,
    say: Say,
) -> None:
    """Runs the parts that are not there yet, again on the machines that are left as long as that gets on.

    A reader that dies with its machine is started anew by Ray, which expects the same items of it, one by one; but it
    reads past the parts that are there by then. So what Ray holds for done may lack a part, and is looked through.
    """
    rows = -1
    while True:
        try:
            _score(ray, plan, engine, store, part_rows, _room(ray, engine.threads, gpus, None), gpus, progress)
            check_whole(plan, store)
            return
        except (_GaveUp, MissingPart) as error:
            before, rows = rows, rows_and_bytes(store.folder)[0]
            if rows <= before:
                raise
            say(f"the cluster stopped after {rows:,} rows ({error.reason}); going on with what is left of it")


def _score(
    ray: Any,
    plan: Plan,
    engine: EngineSettings,
    store: Store,
    part_rows: int,
    room: int,
    gpus: float,
    progress: Progress | None,
) -> None:
    """Runs the parts that are not there yet."""
    files = len(plan.sources)
    dataset = ray.data.from_items([{"file": file} for file in range(files)], override_num_blocks=files)
    # A block is a part: else many would go to one actor, and none before the last of them is read.
    dataset.context.target_max_block_size = 1
    dataset.context.enable_progress_bars = False
    parts = dataset.map_batches(
        _read,
        fn_args=(plan, store.folder, part_rows),
        batch_size=1,
        batch_format="numpy",
        num_cpus=0,  # a reader feeds many engines, and must find room where these have taken every core
        compute=ray.data.TaskPoolStrategy(min(files, max(2, room // 4))),
    ).map_batches(
        _PartScorer,
        fn_constructor_args=(plan, engine, store.folder),
        batch_size=1,
        batch_format="numpy",
        num_cpus=engine.threads,
        num_gpus=gpus or None,
        compute=ray.data.ActorPoolStrategy(size=room),
    )
    tally, started = store.state.tally, time.monotonic()
    before, (rows, read) = tally.seconds, rows_and_bytes(store.folder)
    meter = Meter(progress, rows, sum(source.size for source in plan.sources)) if progress else None
    try:
        for done in parts.iter_rows():
            rows, read = rows + int(done["rows"]), read + int(done["bytes"])
            tally.seconds = before + time.monotonic() - started
            store.commit(b"", b"")
            if meter:
                meter.update(rows, read)
    except ray.exceptions.RayError as error:
        raise _ours(error) from error
    if meter:
        meter.update(rows, read, last=True)


def _read(
    batch: Mapping[str, npt.NDArray[Any]], plan: Plan, folder: Path, part_rows: int
) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """Reads a file to parts, a batch each."""
    import numpy as np

    (file,) = batch["file"]
    for part in read_parts(plan, int(file), folder, part_rows):
        column = np.empty(1, object)
        column[0] = part
        yield {"part": column}


class _PartScorer:
    """An actor: scores parts and writes them."""

    def __init__(self, plan: Plan, engine: EngineSettings, folder: Path) -> None:
        self._plan, self._folder = plan, folder
        self._tagger = load_tagger(engine)

    def __call__(self, batch: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[np.int64]]:
        import numpy as np

        part: Part = batch["part"][0]
        score_part(self._tagger, self._plan, self._folder, part)
        return {"rows": np.array([len(part.rows)]), "bytes": np.array([part.size])}


@contextmanager
def _cluster(address: str | None) -> Iterator[Any]:
    """Ray, connected: to the cluster of this process, the one at the address, or one of this machine."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what matters comes as an exception
    ray = require("ray", extra="ray")
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # its errors are raised, too
    if ray.is_initialized():
        yield ray
        return
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    here = {"num_cpus": usable_cores(), "include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error", **here)
    except (ConnectionError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise JobError(f"no Ray cluster at {address!r} ({reason}); remedy: ray start, or another --address") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _room(ray: Any, cpus: int, gpus: float, most: int | None) -> int:
    """How many actors the cluster has room for."""
    has = ray.cluster_resources()
    room = int(has.get("CPU", 0) // cpus)
    if gpus:
        room = min(room, int(has.get("GPU", 0) // gpus))
    if room < 1:
        raise InputError(
            f"the cluster has {has.get('CPU', 0):g} cores and {has.get('GPU', 0):g} GPUs, no room for an actor with "
            f"{cpus} cores and {gpus:g} GPUs; remedy: smaller actors, or more machines"
        )
    return min(room, most or room)


def _ours(error: Any) -> RhetoricError:
    """The error that a worker raised on purpose, or what Ray says of another."""
    cause: Any = error
    while cause is not None:
        # Ray's wrapper is of the class of what it wraps, but its message is the traceback of the worker; and Ray puts
        # advice of its own behind our message.
        if isinstance(cause, RhetoricError) and not hasattr(cause, "cause"):
            return type(cause)(str(cause).splitlines()[0])
        cause = getattr(cause, "cause", None) or cause.__cause__
    reason = next((line for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)
    return _GaveUp(reason)
