"""Generated sentences of diplomatic language, for measuring speed: any number, distinct, realistic lengths.

Words and order are invented; lengths follow a log-normal distribution like that of speeches and news reports (mean
near 28 word pieces, a long tail beyond 60). They say nothing about accuracy.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

OPENINGS = (
    *["{actor}"] * 5, "Speaking in {city}, {actor}", "In a letter to the Council, {actor}", "On {day}, {actor}",
    "According to officials, {actor}", "After {n} hours of talks, {actor}", "At the summit in {city}, {actor}",
    "Asked about the dispute, {actor}", "In a joint statement with {actor}, {actor}", "Once again, {actor}",
)  # fmt: skip
VERBS = (
    "said that {actor} must withdraw its patrols from the {place}",
    "urged {actor} to return to the negotiations on the {place}",
    "warned that there would be consequences if {actor} closed the {place}",
    "accused {actor} of breaking the agreement on the {place}",
    "denied that any vessel had been boarded near the {place}",
    "is ready to meet {actor} without preconditions",
    "pledged {n} million crowns for the clinics of the {place}",
    "thanked the people of {city} for their courage",
    "declined to comment on the report about the {place}",
    "imposed sanctions on {n} companies from {city}",
    "opened a consulate in {city} with a staff of {n}",
    "will not bow to pressure over the {place}",
)
TAILS = (
    ", adding that the convention of 19{n} left no room for doubt", " and that the region had waited long enough",
    ", while ministers from {n} states met in {city}", " before the end of the month",
    ", despite a request from {actor} for more time", " in accordance with international law",
    ", which {actor} called a matter of principle", " and promised to inform the assembly in {city}",
    ", as {n} ships waited outside the {place}", " unless the two sides found a compromise",
    ", a decision that surprised diplomats in {city} and {city}", " with the support of {actor}",
)  # fmt: skip
ACTORS = (
    "Norland", "Estmark", "the Northern Council", "the government in Port Aldane", "President Halik", "Minister Varga",
    "the European delegation", "the permanent representative", "a senior official", "the foreign ministry", "Russia",
    "the United States", "China", "Brazil", "India", "the African Union", "the secretary-general", "Ankara", "Tokyo",
)  # fmt: skip
CITIES = ("Skarn", "Geneva", "Port Aldane", "Nairobi", "New York", "Vienna", "Brussels", "Doha", "Astana", "Lima")
PLACES = ("strait", "border crossing", "demilitarised zone", "northern corridor", "disputed islands", "port of Lannis")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def sentences(count: int, *, seed: int = 0) -> Iterator[str]:
    """Yields distinct sentences.

    Args:
        count: How many.
        seed: The same seed gives the same sentences.
    """
    rng = random.Random(seed)
    for number in range(count):
        words = rng.lognormvariate(2.2, 0.9)
        text = rng.choice(OPENINGS) + " " + rng.choice(VERBS)
        while len(text.split()) < words:
            text += rng.choice(TAILS)
        yield f"{_fill(text, rng)} ({number})."


def _fill(text: str, rng: random.Random) -> str:
    parts = {"actor": ACTORS, "city": CITIES, "place": PLACES, "day": DAYS}
    for name, choices in parts.items():
        while f"{{{name}}}" in text:
            text = text.replace(f"{{{name}}}", rng.choice(choices), 1)
    while "{n}" in text:
        text = text.replace("{n}", str(rng.randint(2, 99)), 1)
    return text[0].upper() + text[1:]
