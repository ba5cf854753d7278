"""What a job did, in figures: counted part by part, kept in the manifest, printed and written at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rhetoric.scoring.columns import Outcome

__all__ = ["BadRows", "Summary", "Tally"]

FIRST = 5


@dataclass(frozen=True, slots=True)
class BadRows:
    """Rows that were bad for one reason.

    Attributes:
        count: How many.
        kept: How many of them are in the output, with nulls; the others are in the quarantine.
        first: The first ones, as "file row".
    """

    count: int
    kept: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """A finished job.

    Attributes:
        output: The file written; "-" for standard output.
        inputs: The files read.
        model: `labels` (names in the model's order), `digest`, `engine`, `device` and `precision`.
        options: Of the job, the text column as found.
        rows: Rows read (sentences, where documents were split): always `kept` + `quarantined`.
        kept: Rows that are in the output.
        quarantined: Rows that are in the quarantine file.
        lines: Rows of the output; more than `kept` under the layout "long".
        labels: Rows that carry each label.
        neutral: Rows scored that carry none.
        uncertain: Rows scored with a label in its abstain band.
        truncated: Rows of which words were left out.
        duplicates: Rows scored whose text stood before in the same part: computed once.
        errors: Bad rows by reason.
        seconds: Time taken, all runs of a resumed job together.
        resumed: How often the job was taken up again.
        quarantine: The quarantine file, if there is one.
        documents: Documents read, bad ones too; None where they were not split.
        placeholders: Rows scored whose text is only a placeholder, such as "n/a" or "-".
        first_placeholder: The first of them, as "file row"; None if there is none.
    """

    output: str
    inputs: tuple[str, ...]
    model: Mapping[str, Any]
    options: Mapping[str, Any]
    rows: int
    kept: int
    quarantined: int
    lines: int
    labels: Mapping[str, int]
    neutral: int
    uncertain: int
    truncated: int
    duplicates: int
    errors: Mapping[str, BadRows]
    seconds: float
    resumed: int
    quarantine: str | None
    documents: int | None = None
    placeholders: int = 0
    first_placeholder: str | None = None

    @property
    def scored(self) -> int:
        """Rows that were scored."""
        return self.rows - sum(bad.count for bad in self.errors.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        rates = {name: round(count / max(self.scored, 1), 6) for name, count in self.labels.items()}
        speed = round(self.rows / self.seconds, 1) if self.seconds else None
        return asdict(self) | {"scored": self.scored, "rates": rates, "rows_per_second": speed}

    def __str__(self) -> str:
        speed = f", {self.rows / self.seconds:,.0f} a second" if self.seconds else ""
        again = f", resumed {self.resumed} times" if self.resumed > 1 else ", resumed once" if self.resumed else ""
        lines = [f"{self.rows:,} rows in {_duration(self.seconds)}{speed}{again} → {self.output}"]
        scored = max(self.scored, 1)
        ranked = sorted(self.labels.items(), key=lambda item: -item[1])
        rates = [f"{name} {count / scored:.1%}" for name, count in [*ranked, ("neutral", self.neutral)]]
        lines += ["  " + "  ".join(rates[i : i + 5]) for i in range(0, len(rates), 5)]
        notes = {"uncertain": self.uncertain, "duplicates computed once": self.duplicates, "truncated": self.truncated}
        lines.append("  " + ", ".join(f"{count:,} {name}" for name, count in notes.items()))
        for reason, bad in self.errors.items():
            more = ", …" if bad.count > len(bad.first) else ""
            fate = "kept with nulls" if bad.kept == bad.count else f"{bad.count - bad.kept:,} quarantined"
            lines.append(f"  {bad.count:,} × {reason}, {fate}: {', '.join(bad.first)}{more}")
        if self.placeholders:
            more = ", …" if self.placeholders > 1 else ""
            found = f"{self.placeholders:,} × text is only a placeholder (n/a, null, -)"
            lines.append(f"  {found}, scored as it stands: {self.first_placeholder}{more}")
        balance = f"{self._read()} = {self.kept:,} out + {self.quarantined:,} quarantined"
        lines.append(f"  {balance}" + (f" ({self.quarantine})" if self.quarantine else ""))
        return "\n".join(lines)

    def _read(self) -> str:
        if self.documents is None:
            return f"{self.rows:,} rows in"
        bad = self.rows - self.scored  # documents that could not be split: a row each
        also = f" + {bad:,} bad document{'s' * (bad != 1)}" if bad else ""
        read = f"{self.documents:,} document{'s' * (self.documents != 1)} in; "
        return f"{read}{self.scored:,} sentence{'s' * (self.scored != 1)}{also}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


@dataclass(slots=True)
class Tally:
    """The figures of a job that is under way."""

    rows: int = 0
    kept: int = 0
    quarantined: int = 0
    lines: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    neutral: int = 0
    uncertain: int = 0
    truncated: int = 0
    duplicates: int = 0
    errors: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0
    resumed: int = 0
    documents: int = 0
    placeholders: int = 0
    first_placeholder: str | None = None

    def count(self, texts: Sequence[str], outcomes: Sequence[Outcome], given: int | None) -> None:
        """Counts the rows of a part that were scored.

        Args:
            texts: Their texts.
            outcomes: Their predictions; reasons of bad rows are passed over.
            given: Most labels given to a row.
        """
        labels: Counter[str] = Counter(self.labels)
        distinct, scored = set(), 0
        for text, outcome in zip(texts, outcomes, strict=True):
            if isinstance(outcome, str):
                continue
            scored += 1
            distinct.add(text)
            labels.update(outcome.labels[:given])
            self.neutral += not outcome.labels
            self.uncertain += bool(outcome.uncertain)
            self.truncated += outcome.truncated
        self.labels = dict(labels)
        self.duplicates += scored - len(distinct)

    def bad(self, reason: str, where: str, *, kept: bool) -> None:
        """Counts a bad row."""
        entry = self.errors.setdefault(reason.split(":")[0], {"count": 0, "kept": 0, "first": []})
        entry["count"] += 1
        entry["kept"] += kept
        if len(entry["first"]) < FIRST:
            entry["first"].append(where)

    def placeholder(self, where: str) -> None:
        """Counts a row that holds only a placeholder."""
        self.placeholders += 1
        self.first_placeholder = self.first_placeholder or where
