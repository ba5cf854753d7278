"""Batch scoring: files and frames of any size in, the same rows with labels out, resumable and exact.

The way of a row, one idea a file:

    options.py    what a job is asked to do, checked
    sources.py    globs, folders and standard input to a list of files; compression; identity
    records.py    what a reader hands on, and what is wrong with a text
    readers.py    CSV, JSONL, plain text → records with byte offsets;  parquet.py the same for Parquet
    rows.py       records of all files → rows to score (a record, or a sentence of a document), from any position
    schema.py     the columns of the input, the text column among them
    carried.py    the input's own columns in the form an output wants: cells, JSON text, Arrow
    columns.py    predictions → the columns added (pure; shared with every other runner)
    writers.py    rows and added columns → the bytes of a part
    plan.py       all a job knows before its first row;  encode.py scored rows → the bytes of a part, counted
    job.py        one stream through the engine, parts of fixed rows, committed one by one
    parts.py      the same for a cluster: a folder of Parquet files, one a part, written in any order
    store.py      the folder of a job on disk: rows, quarantine, manifest, atomic finish;  lock.py one job an output
    summary.py    what happened, in figures;  progress.py a bar, or JSON lines
    several.py    a note if rows are more than sentences
    frames.py     the same for pandas, polars and pyarrow, in memory
"""

from __future__ import annotations

from rhetoric.scoring.frames import score_frame
from rhetoric.scoring.job import score_file
from rhetoric.scoring.options import Options
from rhetoric.scoring.summary import Summary

__all__ = ["Options", "Summary", "score_file", "score_frame"]
