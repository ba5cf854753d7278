"""Tags the rhetoric of diplomacy: twelve calibrated labels a sentence.

from rhetoric import RhetoricTagger

tagger = RhetoricTagger.from_pretrained()
tagger.predict(["Ankara must withdraw its troops.", "We are ready to meet without preconditions."])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rhetoric.errors import ExtraError, InputError, JobError, ModelError, RhetoricError
from rhetoric.prediction import Document, Prediction, Sentence

if TYPE_CHECKING:
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


def __getattr__(name: str) -> Any:
    """The tagger, imported when it is first asked for: it brings numpy, which takes most of an import's time."""
    if name != "RhetoricTagger":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rhetoric.tagger import RhetoricTagger

    return RhetoricTagger


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
