"""What the tagger returns: frozen results that print well and turn into plain dicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rhetoric.taxonomy import CONFLICT, COOPERATION, FAMILIES, FAMILY_OF

__all__ = ["Document", "NamedActor", "Prediction", "Profile", "Sentence"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The labels of one text.

    Attributes:
        labels: Labels whose score reaches their threshold, highest score first; empty for neutral text.
        scores: Calibrated probability in [0, 1] of every label, in the model's label order.
        uncertain: Labels whose score lies inside their abstain band, on either side of the threshold:
            careful readers may split on them. In the model's label order.
        truncated: True if words were left out because the text was too long (`on_long="truncate"`).
        n_tokens: Word pieces of the whole text, without special tokens.
    """

    labels: tuple[str, ...]
    scores: dict[str, float]
    uncertain: tuple[str, ...]
    truncated: bool
    n_tokens: int

    def to_dict(self) -> dict[str, Any]:
        """Plain dict of lists, floats and booleans, ready for `json.dumps`."""
        return {
            "labels": list(self.labels),
            "scores": dict(self.scores),
            "uncertain": list(self.uncertain),
            "truncated": self.truncated,
            "n_tokens": self.n_tokens,
        }

    def __str__(self) -> str:
        notes = [f"uncertain: {', '.join(self.uncertain)}"] if self.uncertain else []
        notes += ["truncated"] if self.truncated else []
        return _named(self.labels, self.scores) + (f" ({'; '.join(notes)})" if notes else "")

    def _repr_html_(self) -> str:
        from rhetoric.html import prediction

        return prediction(self)


@dataclass(frozen=True, slots=True)
class NamedActor:
    """A state or organisation that a sentence names, by whatever stands for it.

    Attributes:
        text: As it is written, without an article.
        start: Character offset of its first character in the document.
        end: Offset after its last character.
        code: ISO 3166 code of a state (XKX for Kosovo), short name of an organisation.
        kind: "state" or "organisation".
        role: "source" if the act comes from it, "target" if it is aimed at it; None if the text does not make it plain.
    """

    text: str
    start: int
    end: int
    code: str
    kind: str
    role: str | None

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a document with its labels.

    Attributes:
        text: The sentence as it stands in the document.
        start: Character offset of its first character: `document.text[start:end] == text`.
        end: Offset after its last character.
        labels: As in `Prediction`.
        scores: As in `Prediction`.
        uncertain: As in `Prediction`.
        quoted: True if most of it stands inside a direct quotation.
        speaker: Who says it, in the words of the document; None if the text does not make it plain.
        actors: States and organisations it names, in order, by their names, capitals, nationals or leaders.
    """

    text: str
    start: int
    end: int
    labels: tuple[str, ...]
    scores: dict[str, float]
    uncertain: tuple[str, ...]
    quoted: bool
    speaker: str | None
    actors: tuple[NamedActor, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        return {
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "labels": list(self.labels),
            "scores": dict(self.scores),
            "uncertain": list(self.uncertain),
            "quoted": self.quoted,
            "speaker": self.speaker,
            "actors": [actor.to_dict() for actor in self.actors],
        }

    def __str__(self) -> str:
        said = f"[{self.speaker}] " if self.speaker else ""
        return f"{said}{' '.join(self.text.split())}  → {_named(self.labels, self.scores)}"

    def _repr_html_(self) -> str:
        from rhetoric.html import sentence

        return sentence(self)


@dataclass(frozen=True, slots=True)
class Profile:
    """A document in figures.

    Attributes:
        n_sentences: Sentences tagged.
        share: Share of sentences that carry each label.
        mean_score: Mean calibrated probability of each label.
        family_share: Share of sentences that carry any label of each family; empty for labels of the user's own.
        balance: (cooperative - conflictual) / (cooperative + conflictual) sentences, from -1 to 1, where
            conflictual means any coercive or adversarial label; None if there is neither. It counts
            sentences, not their weight, and reported speech counts like the author's own.
    """

    n_sentences: int
    share: dict[str, float]
    mean_score: dict[str, float]
    family_share: dict[str, float]
    balance: float | None

    @classmethod
    def of(cls, sentences: Sequence[Sentence], labels: Sequence[str]) -> Profile:
        """Sums sentences up.

        Args:
            sentences: The tagged sentences.
            labels: All labels of the model.
        """
        count = max(len(sentences), 1)
        families = [{FAMILY_OF[label] for label in s.labels if label in FAMILY_OF} for s in sentences]
        known = any(name in FAMILY_OF for name in labels)
        cooperative = sum(not found.isdisjoint(COOPERATION) for found in families)
        conflictual = sum(not found.isdisjoint(CONFLICT) for found in families)
        both = cooperative + conflictual
        return cls(
            n_sentences=len(sentences),
            share={name: sum(name in s.labels for s in sentences) / count for name in labels},
            mean_score={name: sum(s.scores[name] for s in sentences) / count for name in labels},
            family_share={f: sum(f in found for found in families) / count for f in FAMILIES} if known else {},
            balance=(cooperative - conflictual) / both if both else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        return asdict(self)

    def __str__(self) -> str:
        given = sorted((name for name, share in self.share.items() if share), key=lambda name: -self.share[name])
        shares = ", ".join(f"{name} {self.share[name]:.0%}" for name in given) or "no labels"
        mood = "" if self.balance is None else f"; conflict–cooperation balance {self.balance:+.2f}"
        return f"{self.n_sentences} sentences: {shares}{mood}"

    def _repr_html_(self) -> str:
        from rhetoric.html import profile

        return profile(self)


@dataclass(frozen=True, slots=True)
class Document:
    """A tagged document.

    Attributes:
        text: The text as it was given.
        sentences: Its sentences in order, page furniture left out.
        profile: Shares of labels and families.
    """

    text: str
    sentences: tuple[Sentence, ...]
    profile: Profile

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        return {
            "text": self.text,
            "sentences": [sentence.to_dict() for sentence in self.sentences],
            "profile": self.profile.to_dict(),
        }

    def __str__(self) -> str:
        return "\n".join(str(sentence) for sentence in self.sentences)

    def _repr_html_(self) -> str:
        from rhetoric.html import document

        return document(self)


def _named(labels: tuple[str, ...], scores: dict[str, float]) -> str:
    return ", ".join(f"{label} {scores[label]:.2f}" for label in labels) or "neutral"
