"""Scores Parquet files with Dask: every process holds one engine.

    python examples/dask_score.py IN OUT                              # processes of this machine
    python examples/dask_score.py IN OUT --scheduler tcp://host:8786  # a cluster; needs the package `distributed`

The package must be installed on every worker. On a cluster start the workers with `--nthreads` as large as `--threads`
here, so that a worker scores one partition at a time and the engine has the cores that the worker owns.
"""

from __future__ import annotations

import argparse

import dask
import dask.dataframe
import pyarrow

from rhetoric.batch_scorer import BatchScorer


def main() -> None:
    """Reads, scores, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--text-column")
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=1, help="of an engine")
    parser.add_argument("--scheduler", help="address of a cluster")
    options = parser.parse_args()
    if options.scheduler:
        from distributed import Client

        Client(options.scheduler)
    else:
        dask.config.set(scheduler="processes")
    scorer = BatchScorer(options.text_column, model=options.model, threads=options.threads)
    frame = dask.dataframe.read_parquet(options.input)
    # Dask must know the columns before it computes: those of an empty frame, scored.
    scored = frame.map_partitions(scorer, meta=scorer(frame._meta))
    columns = scorer(pyarrow.Table.from_pandas(frame._meta, preserve_index=False)).schema
    scored.to_parquet(options.output, write_index=False, schema=columns.remove_metadata())


if __name__ == "__main__":
    main()
