"""Texts to outcomes: what the tagger says of each, or that it would have to be cut or read in parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rhetoric.batching import OnLong
from rhetoric.scoring.columns import Outcome
from rhetoric.scoring.options import Options

if TYPE_CHECKING:
    from rhetoric.tagger import RhetoricTagger

__all__ = ["predicted"]

TOO_LONG = "longer than the model reads at once"


def predicted(tagger: RhetoricTagger, texts: Iterable[str], options: Options) -> Iterator[Outcome]:
    """Predictions of texts, in order; under `on_long="error"` the reason why a long one has none."""
    refused = options.on_long == "error"
    on_long: OnLong = "truncate" if refused else options.on_long
    for prediction in tagger.predict_stream(texts, threshold=options.threshold, on_long=on_long):
        yield TOO_LONG if refused and prediction.truncated else prediction
