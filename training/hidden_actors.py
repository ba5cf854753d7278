"""Hides from a model which state, organisation or leader a sentence names: names teach it nothing, and sway nothing.

The tokenizer writes one word for every state (whatever stands for it: name, adjective, nationals, capital, seat), one
for every organisation and one for every leader, before it cuts the text into word pieces. This is a normaliser in
tokenizer.json, so every program that reads the file does the same.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, normalizers

from rhetoric.actors import FORMS

# Each is one word piece, and stands where a name would.
STAND_INS = {"leader": "Johnson", "organisation": "NATO", "state": "Norway"}


def hide_actors(base: Path, out: Path) -> Path:
    """Copies a model folder, with a tokenizer that hides the actors of the table.

    Args:
        base: Transformers folder with tokenizer.json.
        out: Folder to write; replaced if it is there.

    Returns:
        `out`.
    """
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(base, out)
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.normalizer = normalizers.Sequence([*hiding(), _own_normalizer(tokenizer)])
    tokenizer.save(str(out / "tokenizer.json"))
    file = out / "tokenizer_config.json"
    config: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    # The class of a BERT tokenizer would make a normaliser of its own.
    file.write_text(json.dumps(config | {"tokenizer_class": "PreTrainedTokenizerFast"}, indent=2), encoding="utf-8")
    return out


def _own_normalizer(tokenizer: Tokenizer) -> normalizers.Normalizer:
    """The normaliser without steps that hid actors before."""
    own: normalizers.Normalizer = tokenizer.normalizer
    if isinstance(own, normalizers.Sequence):
        last: normalizers.Normalizer = own[len(own) - 1]
        return last
    return own


def hiding() -> list[normalizers.Normalizer]:
    """The steps that write the stand-ins, longer names before shorter ones in them."""
    forms: dict[str, list[str]] = {kind: [] for kind in STAND_INS}
    for text, form in FORMS.items():
        kind = {"leader": "leader", "short": "organisation", "full": "organisation"}.get(form.role, "state")
        forms[kind].append(text)
    steps = [normalizers.Replace(Regex(_pattern(forms[kind])), word) for kind, word in STAND_INS.items()]
    # "the United States' envoy" and "Kenya's envoy" are to be alike.
    return [*steps, normalizers.Replace(Regex(rf"(?<={STAND_INS['state']})['’](?=\s)"), "'s")]


def _pattern(forms: Iterable[str]) -> str:
    """A regular expression of the forms with the article before them, which is hidden too."""
    return rf"(?<!\w)(?:(?:[Aa]n?|[Tt]he|AN|THE) )?{_alternatives(forms)}(?![\w$])"


def _alternatives(words: Iterable[str]) -> str:
    """A regular expression of the words that fails at the first letter that none of them has."""
    root: dict[str, Any] = {}
    for word in words:
        node = root
        for letter in word:
            node = node.setdefault(letter, {})
        node[""] = {}
    return _nested(root)


def _nested(node: Mapping[str, Any]) -> str:
    options = [re.escape(letter) + _nested(rest) for letter, rest in node.items() if letter]
    if not options:
        return ""
    return f"(?:{'|'.join(options)})" + ("?" if "" in node else "")
