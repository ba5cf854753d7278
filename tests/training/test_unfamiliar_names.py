"""Names that nobody knows: in the place of known ones, the same each time, never a known one by chance."""

import random

from rhetoric.actors import State, find_actors
from training.actor_swap import INVENTED
from training.unfamiliar_names import unfamiliar, with_unfamiliar_names

SENTENCES = {
    "The United States must lift its sanctions, Putin told reporters in Moscow.": [
        " must lift its sanctions, ",
        " in ",
    ],
    "German Chancellor Merz urged Iranians to return to talks with the UK.": [" Chancellor ", " urged ", " with "],
    "CHINA WARNS U.S. OVER THE STRAIT": [" WARNS ", " OVER THE STRAIT"],
}
LIFTED = next(iter(SENTENCES))


def test_no_known_state_is_left_and_the_rest_of_the_sentence_stays() -> None:
    for sentence, kept in SENTENCES.items():
        made = [unfamiliar(sentence, random.Random(seed)) for seed in range(200)]
        twins = [twin for twin in made if twin is not None]
        assert len(set(twins)) > 180  # now and then no state that was made up fits the grammar
        for twin in twins:
            assert all(words in twin for words in kept), twin
            assert not [place for place in find_actors(twin) if isinstance(place.form.actor, State)], twin


def test_names_it_is_measured_with_are_not_made() -> None:
    measured = {word for state in INVENTED for word in (*state.names, *state.adjectives)}
    for seed in range(500):
        twin = unfamiliar(LIFTED, random.Random(seed))
        assert twin is None or not measured & set(twin.split())


def test_a_share_of_the_sentences_is_renamed_whatever_stands_beside_them() -> None:
    texts = [f"{name} must reopen crossing {n}." for n in range(300) for name in ("France", "Nobody")]
    made = with_unfamiliar_names(texts, 0.5, seed=3)
    renamed = [new != old for new, old in zip(made, texts, strict=True)]
    assert not any(renamed[1::2])  # names nobody that is known
    assert 100 < sum(renamed) < 200
    assert with_unfamiliar_names(texts[::-1], 0.5, seed=3) == made[::-1]
    assert with_unfamiliar_names(texts, 0.5, seed=4) != made
    assert with_unfamiliar_names(texts, 0.0, seed=3) == texts
