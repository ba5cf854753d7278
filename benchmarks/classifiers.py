"""Text classifiers of common practice, behind one small interface: fit on labelled rows, give logits.

Cells outside the mask teach nothing where a classifier is fitted label by label; elsewhere they count as absent.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion

from rhetoric.finetune.data import LabelledData
from rhetoric.model_folder import Task

Logits = npt.NDArray[np.float32]

MAX_TOKENS = 128


class Classifier(Protocol):
    """What a baseline is asked for."""

    def __init__(self, *, task: Task, **setting: Any) -> None: ...

    def fit(self, data: LabelledData) -> None:
        """Learns from rows."""

    def logits(self, texts: Sequence[str]) -> Logits:
        """Logits (texts, labels)."""


class Head:
    """Logistic regression on features: one a label, or one over exclusive classes."""

    def __init__(self, task: Task, C: float) -> None:
        self.task, self.C = task, C

    def fit(self, x: Any, data: LabelledData) -> None:
        """Fits on features (rows, features)."""
        self.width = len(data.labels)
        self.fitted: list[LogisticRegression | float] = []
        if self.task == "single_label":
            self.classes = LogisticRegression(C=self.C, class_weight="balanced", max_iter=1000)
            self.classes.fit(x, data.gold.argmax(axis=1))
            return
        for gold, mask in zip(data.gold.T, data.mask.T, strict=True):
            rows = np.flatnonzero(mask)
            if gold[rows].any():
                model = LogisticRegression(C=self.C, class_weight="balanced", solver="liblinear", max_iter=1000)
                self.fitted.append(model.fit(x[rows], gold[rows]))
            else:
                self.fitted.append(-10.0)

    def logits(self, x: Any) -> Logits:
        """Logits (rows, labels)."""
        if self.task == "single_label":
            found = np.full((x.shape[0], self.width), -50.0, np.float32)
            found[:, self.classes.classes_] = self.classes.predict_log_proba(x)
            return found
        columns = [
            np.full(x.shape[0], model) if isinstance(model, float) else model.decision_function(x)
            for model in self.fitted
        ]
        return np.column_stack(columns).astype(np.float32)


class TfidfLR:
    """TF-IDF of words (1-2) and of characters within words (2-5), then logistic regression."""

    def __init__(self, *, task: Task, C: float) -> None:
        self.head = Head(task, C)
        self.features = FeatureUnion(
            [
                ("words", TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)),
                ("letters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True)),
            ]
        )

    def fit(self, data: LabelledData) -> None:
        """Learns vocabulary and head."""
        self.head.fit(self.features.fit_transform(data.texts).tocsr(), data)

    def logits(self, texts: Sequence[str]) -> Logits:
        """Logits (texts, labels)."""
        return self.head.logits(self.features.transform(texts).tocsr())


class EmbeddingLR:
    """Mean-pooled embeddings of a frozen encoder, then logistic regression."""

    _of_text: dict[tuple[Path, str], npt.NDArray[np.float32]] = {}

    def __init__(self, *, task: Task, C: float, base: Path) -> None:
        self.head, self.base = Head(task, C), base

    def fit(self, data: LabelledData) -> None:
        """Learns the head."""
        self.head.fit(self._embed(data.texts), data)

    def logits(self, texts: Sequence[str]) -> Logits:
        """Logits (texts, labels)."""
        return self.head.logits(self._embed(texts))

    def _embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Embeddings (texts, hidden) of length one; the encoder is frozen, so each text is read once."""
        new = sorted({text for text in texts if (self.base, text) not in self._of_text}, key=len)
        if new:
            import torch
            from transformers import AutoModel, AutoTokenizer

            tokenizer = AutoTokenizer.from_pretrained(self.base)
            encoder = AutoModel.from_pretrained(self.base).eval()
            for start in range(0, len(new), 64):
                batch = new[start : start + 64]
                inputs = tokenizer(batch, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
                with torch.inference_mode():
                    hidden = encoder(**inputs).last_hidden_state
                    weight = inputs["attention_mask"][..., None]
                    mean = (hidden * weight).sum(1) / weight.sum(1)
                    unit = torch.nn.functional.normalize(mean, dim=1).numpy()
                self._of_text.update({(self.base, text): row for text, row in zip(batch, unit, strict=True)})
        return np.stack([self._of_text[self.base, text] for text in texts])


class ContrastiveLR:
    """A sentence encoder fine-tuned so that rows of the same labels lie close, then logistic regression.

    After SetFit (Tunstall et al., 2022), within a bound of time. A pair is alike if the label sets are equal (rows
    without a label among each other too), and unlike if they share none.
    """

    def __init__(self, *, task: Task, C: float, base: Path, minutes: float) -> None:
        self.head, self.base, self.minutes = Head(task, C), base, minutes

    def fit(self, data: LabelledData) -> None:
        """Fine-tunes until time is up, then learns the head."""
        import torch
        from sentence_transformers import SentenceTransformer

        torch.manual_seed(0)
        rng = random.Random(0)
        self.encoder = SentenceTransformer(str(self.base), device="cpu")
        self.encoder.max_seq_length = MAX_TOKENS
        self.encoder.train()
        optimiser = torch.optim.AdamW(self.encoder.parameters(), lr=2e-5)
        end = time.monotonic() + 60 * self.minutes
        rows_like: dict[bytes, list[int]] = {}
        for i, gold in enumerate(data.gold):
            rows_like.setdefault(gold.tobytes(), []).append(i)
        kinds = [rows for rows in rows_like.values() if len(rows) > 1]
        while time.monotonic() < end:
            pairs = [self._pair(data, kinds, rng, alike=bool(i % 2)) for i in range(16)]
            inputs = self.encoder.preprocess([data.texts[i] for a, b, _ in pairs for i in (a, b)])
            vectors = torch.nn.functional.normalize(self.encoder(dict(inputs))["sentence_embedding"], dim=1)
            likeness = (vectors[0::2] * vectors[1::2]).sum(dim=1)
            loss = torch.nn.functional.mse_loss(likeness, torch.tensor([target for *_, target in pairs]))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        self.encoder.eval()
        self.head.fit(self._embed(data.texts), data)

    def logits(self, texts: Sequence[str]) -> Logits:
        """Logits (texts, labels)."""
        return self.head.logits(self._embed(texts))

    def _pair(
        self, data: LabelledData, kinds: list[list[int]], rng: random.Random, *, alike: bool
    ) -> tuple[int, int, float]:
        if alike:
            first, second = rng.sample(rng.choice(kinds), 2)
            return first, second, 1.0
        while True:
            first, second = rng.sample(range(len(data.texts)), 2)
            either = data.gold[first].any() or data.gold[second].any()
            if either and not (data.gold[first] & data.gold[second]).any():
                return first, second, 0.0

    def _embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        vectors = self.encoder.encode(list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, np.float32)


class SpacyTextcat:
    """spaCy's text classifier of the default architecture: `textcat`, or `textcat_multilabel`."""

    def __init__(self, *, task: Task, epochs: int) -> None:
        self.task, self.epochs = task, epochs

    def fit(self, data: LabelledData) -> None:
        """Trains for the number of epochs; cells outside the mask are left out of an example, as spaCy allows."""
        import spacy
        from spacy.training import Example
        from spacy.util import fix_random_seed, minibatch

        fix_random_seed(0)
        self.labels = data.labels
        self.nlp = spacy.blank("en")
        self.pipe = "textcat" if self.task == "single_label" else "textcat_multilabel"
        self.nlp.add_pipe(self.pipe)
        examples = []
        for text, gold, mask in zip(data.texts, data.gold, data.mask, strict=True):
            cells = zip(self.labels, gold.tolist(), mask.tolist(), strict=True)
            cats = {name: float(there) for name, there, counts in cells if counts}
            examples.append(Example.from_dict(self.nlp.make_doc(text), {"cats": cats}))
        optimiser = self.nlp.initialize(lambda: examples)
        rng = random.Random(0)
        for _ in range(self.epochs):
            rng.shuffle(examples)
            for batch in minibatch(examples, size=64):
                self.nlp.update(batch, drop=0.2, sgd=optimiser)

    def logits(self, texts: Sequence[str]) -> Logits:
        """Logits (texts, labels)."""
        rows = [[doc.cats[name] for name in self.labels] for doc in self.nlp.pipe(texts, batch_size=256)]
        p = np.clip(np.array(rows, np.float64), 1e-6, 1 - 1e-6)
        odds = np.log(p) if self.task == "single_label" else np.log(p / (1 - p))
        return odds.astype(np.float32)
