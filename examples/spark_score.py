"""Scores Parquet files with Spark: every Python worker holds one engine, with the cores of a task.

    spark-submit --conf spark.task.cpus=1 examples/spark_score.py IN OUT

IN and OUT are what Spark reads and writes: paths, folders, s3a://… . The package must be installed on every executor.
"""

from __future__ import annotations

import argparse

from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

from rhetoric.batch_scorer import BatchScorer


def main() -> None:
    """Reads, scores, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--text-column")
    parser.add_argument("--model")
    options = parser.parse_args()
    spark = SparkSession.builder.appName("rhetoric").getOrCreate()
    cores = int(spark.conf.get("spark.task.cpus", "1"))
    scorer = BatchScorer(options.text_column, model=options.model, threads=cores)
    frame = spark.read.parquet(options.input)
    # Spark must know the columns before it computes: those of an empty table, scored.
    columns = scorer(to_arrow_schema(frame.schema).empty_table()).schema
    frame.mapInArrow(scorer.stream, from_arrow_schema(columns)).write.parquet(options.output)
    spark.stop()


if __name__ == "__main__":
    main()
