"""How well speakers, actors and their roles are found, on passages written for it.

    python benchmarks/speakers.py --half test        # examples/speakers.tsv

The rules were tuned on the half "dev" only. A speaker counts as found if it stands word for word as in the file, an
actor if its text does, a role if actor and role do. Actors without a role in the file must have none.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from rhetoric.documents import split_sentences
from rhetoric.report.figures import wilson
from rhetoric.roles import find_roles

EXAMPLES = Path(__file__).parents[1] / "examples" / "speakers.tsv"


def expected(cell: str) -> list[str]:
    """The entries of a cell."""
    return [entry for entry in cell.split("|") if entry]


def found(text: str) -> tuple[list[str], list[str]]:
    """Speakers, each once, and actors as `text:role`."""
    spans = split_sentences(text)
    speakers = list(dict.fromkeys(span.speaker for span in spans if span.speaker))
    actors = [f"{a.text}:{a.role or ''}" for span in spans for a in find_roles(text, span.start, span.end)]
    return speakers, actors


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=("dev", "test"), default="dev")
    parser.add_argument("--wrong", action="store_true", help="list what is wrong")
    options = parser.parse_args()
    rows = [line.split("\t") for line in EXAMPLES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("speakers", "actors", "roles")}
    passages = 0
    for half, text, speakers, actors in rows:
        if half != options.half:
            continue
        passages += 1
        got_speakers, got_actors = found(text)
        pairs = {
            "speakers": (expected(speakers), got_speakers),
            "actors": ([a.split(":")[0] for a in expected(actors)], [a.split(":")[0] for a in got_actors]),
            "roles": ([a for a in expected(actors) if a[-1] != ":"], [a for a in got_actors if a[-1] != ":"]),
        }
        for name, (gold, got) in pairs.items():
            right = sum((Counter(gold) & Counter(got)).values())
            counts[name].update(right=right, gold=len(gold), got=len(got))
            if options.wrong and Counter(gold) != Counter(got):
                print(f"{name}: {text}\n    expected {gold}\n    found    {got}")
    print(f"{passages} passages ({options.half})")
    for name, count in counts.items():
        precision, recall = wilson(count["right"], count["got"]), wilson(count["right"], count["gold"])
        print(
            f"{name:9} precision {precision.value:.2f} ({precision.low:.2f}–{precision.high:.2f}) of {count['got']}, "
            f"recall {recall.value:.2f} ({recall.low:.2f}–{recall.high:.2f}) of {count['gold']}"
        )


if __name__ == "__main__":
    main()
