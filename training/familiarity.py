"""Measures what the training sentences look like, for the warnings about texts that look otherwise.

python -m training.familiarity --corpus CORPUS        # writes rhetoric/data/familiarity.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from rhetoric import RhetoricTagger
from rhetoric.familiarity import FILE, measure
from training.data import read_corpus


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    corpus = parser.parse_args().corpus
    figures = measure(read_corpus(corpus / "train.jsonl").texts)
    predictions = RhetoricTagger.from_pretrained().predict(read_corpus(corpus / "dev.jsonl").texts)
    figures["uncertain"] = float(np.mean([bool(prediction.uncertain) for prediction in predictions]))
    FILE.write_text(json.dumps({name: round(value, 4) for name, value in figures.items()}, indent=2) + "\n")
    print(FILE.read_text(), end="")


if __name__ == "__main__":
    main()
