"""HTML shows the text to the letter and nothing of the text becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rhetoric import RhetoricTagger
from rhetoric.html import document, document_page, explanation, page, prediction
from rhetoric.prediction import Document, Prediction, Profile, Sentence

EVIL = "<script>alert('x')</script> We must talk, said \"A & B\" </span></div><img src=x onerror=y> `]]>`"


class Reader(HTMLParser):
    """Collects the text in elements of the class `text`, and the names of all elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.depth, self.text, self.tags = 0, "", list[str]()
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if self.depth:
            self.depth += 1
        elif ("class", "text") in attrs:
            self.depth = 1

    def handle_endtag(self, tag: str) -> None:
        self.depth -= bool(self.depth)

    def handle_data(self, data: str) -> None:
        self.text += data if self.depth else ""


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def tagged(text: str, cuts: list[int], speaker: str | None) -> Document:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    sentences = tuple(
        Sentence(
            text[a:b], a, b, ("demand",) if a % 2 else (), {"demand": 0.9, text[a:b]: 0.1}, (), a % 3 == 0, speaker
        )
        for a, b in zip(places, places[1:], strict=False)
    )
    return Document(text, sentences, Profile(len(sentences), {"demand": 0.5}, {"demand": 0.4}, {}, 0.5))


@settings(max_examples=200)
@given(
    text=st.text(alphabet=st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=80)
    | st.just(EVIL),
    cuts=st.lists(st.integers(0, 100), max_size=4),
    speaker=st.none() | st.just(EVIL),
)
def test_the_text_of_the_page_is_the_text_of_the_document(text: str, cuts: list[int], speaker: str | None) -> None:
    found = read(document(tagged(text, cuts, speaker)))
    assert found.text == text
    assert not {"script", "img"} & set(found.tags)
    assert "onerror" not in found.attributes


def test_labels_speakers_and_profile_are_shown(bundled: RhetoricTagger) -> None:
    text = "Skarn must open the strait at once, Foreign Minister Ilse Varga said.\n\nThe ministers met on Tuesday."
    html = document_page(bundled.tag_document(text), "a < b")
    assert "<title>a &lt; b</title>" in html and "<h1>a &lt; b</h1>" in html
    assert re.search('data-labels="demand\xa0[01][.]', html) and "Foreign Minister Ilse Varga" in html
    assert "http" not in html and "<script" not in html
    assert read(html).text == text


def test_the_profile_sums_up_families() -> None:
    share = {"threat": 0.25, "demand": 0.5, "mine & yours": 0.75}
    html = document(Document("Go.", (), Profile(4, share, dict.fromkeys(share, 0.125), {"coercive": 0.375}, -0.5)))
    cells = read(html.replace("<table>", '<table class="text">')).text
    assert cells == "sentencesmean scoredemand50%0.12coercive38%threat25%0.12mine & yours75%0.12Go."
    assert "balance −0.50, from −1" in html


def test_quoted_sentences_say_so() -> None:
    plain, quoted = (Sentence("No.", 0, 3, (), {}, (), said, None) for said in (False, True))
    profile = Profile(1, {}, {}, {}, None)
    assert 'data-speaker="quoted"' in document(Document("No.", (quoted,), profile))
    assert 'data-speaker="Halik · quoted"' in document(Document("No.", (replace(quoted, speaker="Halik"),), profile))
    assert "data-speaker=" not in document(Document("No.", (plain,), profile))


def test_a_document_without_sentences_is_a_page_too() -> None:
    assert "No sentence" in document(Document("-----", (), Profile(0, {}, {}, {}, None)))


def test_a_prediction_lists_what_matters() -> None:
    html = prediction(Prediction(("demand",), {"demand": 0.9, "<b>": 0.3, "appeal": 0.01}, ("<b>",), True, 7))
    assert html.index("demand") < html.index("&lt;b&gt;") and "<b>" not in html.replace("<tbody>", "")
    assert "1 labels under 0.05" in html and "truncated" in html and "uncertain" in html
    assert "neutral" in prediction(Prediction((), {"demand": 0.1}, (), False, 3))


def test_notebooks_get_html(bundled: RhetoricTagger) -> None:
    text = "You must <i>withdraw</i> now."
    explained = bundled.explain(text, "demand")
    assert explained._repr_html_() == explanation(explained)
    assert "red, dotted" in explanation(explained) and f"{explained.top('demand')[0][1]:+.2f}" in explanation(explained)
    assert "&lt;i&gt;withdraw&lt;/i&gt;" in explained._repr_html_() and "<i>" not in explained._repr_html_()
    one = bundled.predict_one(text)
    assert one._repr_html_() == prediction(one)
    whole = bundled.tag_document(text)
    assert whole._repr_html_() == document(whole)


@pytest.mark.parametrize("title", ["", "</title><script>"])
def test_a_title_cannot_end_the_head(title: str) -> None:
    assert "script" not in read(page(title, "")).tags


def test_a_sentence_and_a_profile_show_themselves_too(bundled: RhetoricTagger) -> None:
    document = bundled.tag_document("Estmark must withdraw its patrols. We are ready to meet.")
    assert 'data-labels="demand' in document.sentences[0]._repr_html_()
    assert "2 sentences" in document.profile._repr_html_()
    assert "“quoted”" not in document.profile._repr_html_()  # there is no sentence to explain
    assert str(document.profile).startswith("2 sentences: demand 50%, conciliation 50%; conflict–cooperation balance")
