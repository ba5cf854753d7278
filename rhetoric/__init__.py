"""Tags the rhetoric of diplomacy: twelve calibrated labels a sentence.

from rhetoric import RhetoricTagger

tagger = RhetoricTagger.from_pretrained()
tagger.predict(["Ankara must withdraw its troops.", "We are ready to meet without preconditions."])
"""

from __future__ import annotations

from rhetoric.errors import ExtraError, InputError, JobError, ModelError, RhetoricError
from rhetoric.prediction import Document, Prediction, Sentence
from rhetoric.tagger import RhetoricTagger

__version__ = "0.1.0"

__all__ = [
    "Document",
    "ExtraError",
    "InputError",
    "JobError",
    "ModelError",
    "Prediction",
    "RhetoricError",
    "RhetoricTagger",
    "Sentence",
    "__version__",
]
