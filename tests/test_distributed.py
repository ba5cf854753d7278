"""The batch function in Spark, Dask and Ray; and the scoring of files on a Ray cluster of two workers, which die."""

from __future__ import annotations

import os
import pickle
import re
import runpy
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest

from rhetoric import InputError, RhetoricTagger, distributed
from rhetoric.batch_scorer import BatchScorer
from rhetoric.distributed import score_files
from rhetoric.errors import ExtraError, ModelError
from rhetoric.scoring.parts import read_parts, score_part

from .cli.conftest import Run
from .cli.conftest import run as run
from .scoring.conftest import ROWS, rows, write

# Ray, Spark and what they bring warn about themselves and each other.
theirs = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]

EXAMPLES = Path(__file__).parents[1] / "examples"
TEXTS = ["We must begin talks.", "", "They said never!", None, "thank you , friends"]


@pytest.fixture
def frame() -> pandas.DataFrame:
    return pandas.DataFrame({"id": range(5), "text": TEXTS})


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_a_batch_is_a_frame_scored(tiny: RhetoricTagger, tiny_folder: Path, frame: pandas.DataFrame, kind: str) -> None:
    batch: Any = {
        "pandas": frame,
        "polars": polars.DataFrame({"id": range(5), "text": TEXTS}),
        "arrow": pyarrow.Table.from_pandas(frame),
    }[kind]
    scorer = BatchScorer("text", model=tiny_folder, layout="labels-only")
    for found in (scorer(batch), pickle.loads(pickle.dumps(scorer))(batch)):
        assert type(found) is type(batch)
        assert found.equals(tiny.score_frame(batch, "text", layout="labels-only"))


def test_a_stream_of_batches(tiny_folder: Path, frame: pandas.DataFrame) -> None:
    scorer = BatchScorer(model=tiny_folder)
    found = list(scorer.stream(iter([frame[:2], frame[2:]])))
    assert pandas.concat(found).equals(scorer(frame))
    assert scorer(frame[:0]).columns.equals(found[0].columns)
    batches = pyarrow.Table.from_pandas(frame).to_batches(max_chunksize=2)
    table = pyarrow.Table.from_batches(scorer.stream(iter(batches)))
    assert table.equals(scorer(pyarrow.Table.from_batches(batches)))


def test_options_are_checked_where_the_job_starts(tiny_folder: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'layout'"):
        BatchScorer(model=tiny_folder, layuot="long")


@pytest.mark.parametrize(
    "option", [{"documents": True}, {"id_column": "id"}, {"format": "csv"}, {"input_format": "csv"}]
)
def test_options_of_files_are_refused_where_the_job_starts(tiny_folder: Path, option: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(option))}=.* is for files"):
        BatchScorer("text", model=tiny_folder, **option)


def test_another_model_is_refused(tiny_folder: Path, frame: pandas.DataFrame) -> None:
    with pytest.raises(ModelError, match="not the one the job was started with"):
        BatchScorer(model=tiny_folder, digest="0" * 64)(frame)


def test_a_worker_takes_the_threads_it_owns(tiny_folder: Path) -> None:
    """Processor time against time on the clock, with the part that uses all cores if it may: tokenising."""
    code = f"""
import time
from rhetoric.batch_scorer import BatchScorer, load_tagger
import pandas
scorer = BatchScorer(model={str(tiny_folder)!r}, threads=1)
scorer(pandas.DataFrame({{"text": ["we must begin talks"]}}))
tagger = load_tagger(scorer._engine)
assert tagger.choice.threads == 1
texts = ["they said talks today " * 50] * 4000
wall, work = time.perf_counter(), time.process_time()
tagger._tokenizer.encode_batch_fast(texts)
print((time.process_time() - work) / (time.perf_counter() - wall))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.2


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "ray"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ExtraError, match=r"diplomatic-rhetoric\[ray\]"):
        score_files(tmp_path / "a.csv", tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--address", "somewhere:6379"], "--address is for --runner ray"),
        (["--gpus", "1"], "--gpus is for --runner ray"),
        (["--runner", "ray", "-o", "out.csv"], "-o FOLDER"),
        (["--runner", "ray", "-o", "-"], "-o FOLDER"),
        (["--runner", "ray", "--format", "csv"], "'csv' is not possible on a cluster"),
    ],
)
def test_the_command_refuses(
    run: Run,
    tiny_folder: Path,
    tmp_path: Path,
    arguments: list[str],
    message: str,
) -> None:
    source = write(tmp_path / "a.csv", rows())
    outcome = run("score", source, "-o", tmp_path / "out", "--model", tiny_folder, *arguments)
    assert outcome.code == 2
    assert message in outcome.err


def test_a_part_that_is_lost_with_a_machine_is_made_again(
    monkeypatch: pytest.MonkeyPatch, tiny: RhetoricTagger, tiny_folder: Path, tmp_path: Path
) -> None:
    """Ray starts a reader that died anew, and counts what it yields; by then it yields less."""
    source = write(tmp_path / "a.csv", rows())
    runs: list[int] = []

    def parts_but_one(ray: Any, plan: Any, engine: Any, store: Any, part_rows: int, *others: Any) -> None:
        parts = list(read_parts(plan, 0, store.folder, part_rows))
        runs.append(len(parts))
        for part in parts if len(runs) > 1 else parts[:2] + parts[3:]:
            score_part(tiny, plan, store.folder, part)

    monkeypatch.setattr(distributed, "require", lambda *names, **extra: None)
    monkeypatch.setattr(distributed, "_cluster", lambda address: nullcontext(None))
    monkeypatch.setattr(distributed, "_room", lambda *given: 1)
    monkeypatch.setattr(distributed, "_score", parts_but_one)
    said: list[str] = []
    score_files(source, tmp_path / "out", model=tiny_folder, part_rows=10, say=said.append)
    assert runs == [10, 1]
    assert any("part 2 of" in line and "going on" in line for line in said)
    tiny.score_file(source, tmp_path / "local.parquet")
    one, many = (pyarrow.parquet.read_table(tmp_path / name) for name in ("local.parquet", "out"))
    assert one.equals(many)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three Parquet files, with an integer that no float holds."""
    (tmp_path / "in").mkdir()
    for i in range(3):
        data = [row | {"id": row["id"] + ROWS * i, "large": 2**60 + 1 if row["id"] % 3 else None} for row in rows()]
        write(tmp_path / "in" / f"{i}.parquet", data)
    return tmp_path / "in"


def by_id(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pyarrow.parquet.read_table(path).sort_by("id").to_pylist()
    return found


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_spark(tiny: RhetoricTagger, tiny_folder: Path, folder: Path, tmp_path: Path) -> None:
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java, and there is none")
    types = pytest.importorskip("pyspark.sql.pandas.types")
    tiny.score_file(folder, tmp_path / "local.parquet")
    spark = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    try:
        scorer = BatchScorer(model=tiny_folder)
        frame = spark.read.parquet(str(folder)).drop("large")
        columns = scorer(types.to_arrow_schema(frame.schema).empty_table()).schema
        rows = frame.mapInPandas(scorer.stream, types.from_arrow_schema(columns)).orderBy("id").collect()
        expected = [{k: v for k, v in row.items() if k != "large"} for row in by_id(tmp_path / "local.parquet")]
        assert [row.asDict() for row in rows] == expected
        example("spark_score.py", folder, tmp_path / "out", "--model", tiny_folder)
    finally:
        spark.stop()
    assert by_id(tmp_path / "out") == by_id(tmp_path / "local.parquet")


@pytest.mark.slow
def test_dask(tiny: RhetoricTagger, tiny_folder: Path, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("dask.dataframe")
    tiny.score_file(folder, tmp_path / "local.parquet")
    code = [sys.executable, EXAMPLES / "dask_score.py", folder, tmp_path / "out", "--model", tiny_folder]
    subprocess.run(code, check=True)
    found = by_id(tmp_path / "out")
    expected = by_id(tmp_path / "local.parquet")
    for row in (*found, *expected):
        del row["large"]  # pandas makes a fraction of it
    assert found == expected


def example(name: str, *arguments: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")


# --- Ray ---


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without cores and two workers with one each, as processes of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_BACKEND_LOG_LEVEL", "fatal")
        ray = pytest.importorskip("ray")
        utils = pytest.importorskip("ray.cluster_utils")
        cluster = utils.Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}, connect=False
        )
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
        ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
        cluster.wait_for_nodes()
        yield cluster, nodes
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def inputs(tmp_path: Path) -> list[Path]:
    """Two files of 1,200 rows, every tenth without text."""
    return [write(tmp_path / name, 12 * rows()) for name in ("a.csv", "b.csv")]


def same(output: Path, local: Path) -> None:
    one, many = pyarrow.parquet.read_table(local), pyarrow.parquet.read_table(output)
    assert one.schema == many.schema
    assert one.equals(many)


def wait_for(count: int, tmp_path: Path, works: Callable[[], bool]) -> None:
    """Waits until a job has finished that many parts."""
    end = time.monotonic() + 120
    while len(list((tmp_path / "out.job" / "parts").glob("*.parquet"))) < count:
        assert works()
        assert time.monotonic() < end
        time.sleep(0.005)


class TestRay:
    pytestmark = theirs

    def test_a_dataset(self, cluster: Any, tiny: RhetoricTagger, tiny_folder: Path) -> None:
        import ray.data

        from rhetoric.distributed import score_dataset

        table = pyarrow.Table.from_pylist(3 * rows())
        dataset = ray.data.from_arrow(table).repartition(5)
        scored = score_dataset(dataset, model=tiny_folder, batch_size=64)
        found = pyarrow.Table.from_pylist(sorted(scored.take_all(), key=lambda row: (row["id"], row["text"])))
        alone = tiny.score_frame(table).to_pylist()
        expected = pyarrow.Table.from_pylist(sorted(alone, key=lambda row: (row["id"], row["text"])))
        assert found.column_names == expected.column_names
        assert found.to_pylist() == expected.to_pylist()
        with pytest.raises(InputError, match="no room for an actor"):
            score_dataset(dataset, model=tiny_folder, cpus=64)
        with pytest.raises(InputError, match="no room for an actor"):
            score_dataset(dataset, model=tiny_folder, gpus=1)
        with pytest.raises(InputError, match="did you mean 'text'"):
            score_dataset(dataset, "texd", model=tiny_folder)

    def test_the_command(
        self,
        cluster: Any,
        run: Run,
        inputs: list[Path],
        tiny_folder: Path,
        tmp_path: Path,
    ) -> None:
        model = ["--model", tiny_folder]
        assert run("score", *inputs, "-o", tmp_path / "local.parquet", *model).code == 0
        outcome = run("score", *inputs, "-o", tmp_path / "out", "--runner", "ray", *model, "--progress", "off")
        assert outcome.code == 0, outcome.err
        same(tmp_path / "out", tmp_path / "local.parquet")
        assert "2,400 rows in = 2,400 out" in outcome.err

    def test_an_error_of_a_worker_is_told_in_one_line(
        self,
        cluster: Any,
        run: Run,
        inputs: list[Path],
        tiny_folder: Path,
        tmp_path: Path,
    ) -> None:
        command = ["score", *inputs, "-o", tmp_path / "out", "--runner", "ray", "--model", tiny_folder]
        outcome = run(*command, "--on-error", "fail")
        assert outcome.code == 1
        assert re.fullmatch(r"Error: \S+/[ab]\.csv row \d+: text is empty; remedy: .*", outcome.err.splitlines()[-1])
        assert not (tmp_path / "out").exists()

    def test_a_killed_job_goes_on(
        self,
        cluster: Any,
        inputs: list[Path],
        tiny: RhetoricTagger,
        tiny_folder: Path,
        tmp_path: Path,
    ) -> None:
        code = (
            f"import rhetoric.distributed as d; d.score_files({list(map(str, inputs))}, {str(tmp_path / 'out')!r}, "
            f"model={str(tiny_folder)!r}, address={cluster[0].address!r}, part_rows=20)"
        )
        job = subprocess.Popen([sys.executable, "-c", code])
        try:
            wait_for(5, tmp_path, lambda: job.poll() is None)
        finally:
            job.kill()
            job.wait()
        time.sleep(3)  # until the cluster has ended the actors of the dead job
        parts = tmp_path / "out.job" / "parts"
        before = {file.name: file.stat().st_mtime_ns for file in parts.iterdir()}
        assert 5 <= len(before) < 120
        said: list[str] = []
        summary = score_files(inputs, tmp_path / "out", model=tiny_folder, say=said.append, part_rows=20)
        assert summary.resumed == 1
        assert said[-1].startswith("going on after ")
        after = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "out").iterdir()}
        assert len(after) == 120
        assert {name: after[name] for name in before} == before
        tiny.score_file(inputs, tmp_path / "local.parquet")
        same(tmp_path / "out", tmp_path / "local.parquet")

    def test_dead_actors_and_a_dead_worker_lose_nothing(
        self,
        cluster: Any,
        inputs: list[Path],
        tiny: RhetoricTagger,
        tiny_folder: Path,
        tmp_path: Path,
    ) -> None:
        psutil = pytest.importorskip("psutil")
        tiny.score_file(inputs, tmp_path / "local.parquet")
        failed: list[Exception] = []

        def score() -> None:
            try:
                score_files(inputs, tmp_path / "out", model=tiny_folder, part_rows=20)
            except Exception as error:
                failed.append(error)

        job = threading.Thread(target=score)
        job.start()
        parts = tmp_path / "out.job" / "parts"

        wait_for(5, tmp_path, job.is_alive)
        ours = psutil.Process().children(recursive=True)
        actors = [process for process in ours if "_PartScorer" in " ".join(process.cmdline())]
        assert actors
        actors[0].send_signal(signal.SIGKILL)
        wait_for(15, tmp_path, job.is_alive)
        (head_and_workers, nodes) = cluster
        head_and_workers.remove_node(nodes.pop(), allow_graceful=False)
        assert len(list(parts.glob("*.parquet"))) < 120  # it was at work
        job.join(300)
        assert not job.is_alive() and failed == []
        assert len(list((tmp_path / "out").iterdir())) == 120
        same(tmp_path / "out", tmp_path / "local.parquet")
        nodes.append(head_and_workers.add_node(num_cpus=1))
