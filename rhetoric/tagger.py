"""RhetoricTagger: the face of the library. Texts in, labels out; it owns the way between, not the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from rhetoric.batching import ON_LONG, OnLong, Window, cut_windows, encode_window, half_pair
from rhetoric.engines import Engine, engine_type
from rhetoric.engines.choice import Choice, choose
from rhetoric.errors import InputError, ModelError
from rhetoric.model_folder import ModelFolder, Task, locate_model, read_model_folder
from rhetoric.prediction import Document, Prediction, Profile, Sentence
from rhetoric.runner import run_windows

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from rhetoric.explain import Explanation
    from rhetoric.scoring import Summary
    from rhetoric.scoring.progress import Progress

__all__ = ["RhetoricTagger", "Threshold"]

Frame = TypeVar("Frame")
Threshold: TypeAlias = "float | Mapping[str, float] | None"
Probabilities = npt.NDArray[np.float32]


class RhetoricTagger:
    """Tags texts with rhetoric types.

    Make one with `from_pretrained` and keep it: loading takes about a third of a second, a sentence about a
    millisecond. Safe to use from several threads. A text's scores do not depend on the other texts in the call, on
    their order, or on the number of threads; with engine torch their last digits do.
    """

    def __init__(self, folder: ModelFolder, tokenizer: Tokenizer, engine: Engine, choice: Choice) -> None:
        self._folder = folder
        self._tokenizer = tokenizer
        self._engine = engine
        self._choice = choice
        # What the model was trained to see around a text, whatever its tokens are called.
        first, last = tokenizer.encode("").ids
        self._special = (first, last)

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | None = None,
        *,
        device: str | None = None,
        engine: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
        token_budget: int | None = None,
    ) -> RhetoricTagger:
        """Loads a model.

        What is left out is chosen for this machine; `choice` has the result and the reasons.

        Args:
            model: None for the bundled model, a folder written by `rhetoric train`, or a Hugging Face Hub id
                (`owner/name` or `owner/name@revision`): only then the network is used.
            device: "cpu", "cuda" (or "cuda:1", …) or "mps".
            engine: "onnx" (the default on a processor), "openvino" or "torch".
            precision: "int8", "float16", "bfloat16", "float32", or "auto".
            threads: Processor threads; None for every core this process may use.
            token_budget: Word pieces in a batch.

        Returns:
            A tagger, ready to use.

        Raises:
            ModelError: The model is missing or damaged; the message names the file.
            InputError: An option has an impossible value, or does not go with another.
            ExtraError: The engine asked for is not installed.
        """
        path = locate_model(model)
        choice = choose(
            path, device=device, engine=engine, precision=precision, threads=threads, token_budget=token_budget
        )
        # Every file is verified before it is used, while the engine's package is imported.
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(read_model_folder, path)
            start = engine_type(choice)
            folder = reading.result()
        return cls(folder, _load_tokenizer(path), start(path, choice), choice)

    @property
    def choice(self) -> Choice:
        """Engine, device, precision, threads and token budget in use, and why."""
        return self._choice

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names; for the bundled model the twelve types in taxonomy order."""
        return self._folder.names

    @property
    def task(self) -> Task:
        """Whether a text may carry several labels ("multi_label") or carries exactly one ("single_label")."""
        return self._folder.task

    @property
    def thresholds(self) -> dict[str, float]:
        """Calibrated probability from which each label is given."""
        return {label.name: label.threshold for label in self._folder.labels}

    def predict(
        self, texts: Iterable[str], *, threshold: Threshold = None, on_long: OnLong = "window"
    ) -> list[Prediction]:
        """Tags texts.

        Args:
            texts: Any iterable of str: list, tuple, numpy array, pandas or polars Series, generator.
            threshold: One probability for all labels, or a mapping from label to probability (labels left out
                keep their own); None for the model's thresholds.
            on_long: Texts longer than the model reads at once are scored in overlapping windows, each label
                taking its highest score ("window"), cut and marked ("truncate"), or refused ("error").

        Returns:
            One prediction a text, in order.

        Raises:
            InputError: An item is not a str, is empty, holds half a surrogate pair, or is too long under
                `on_long="error"`; or a threshold is outside [0, 1] or names an unknown label.
        """
        return list(self.predict_stream(texts, threshold=threshold, on_long=on_long))

    def predict_one(self, text: str, *, threshold: Threshold = None, on_long: OnLong = "window") -> Prediction:
        """Tags one text; see `predict`."""
        return self.predict([text], threshold=threshold, on_long=on_long)[0]

    def predict_stream(
        self, texts: Iterable[str], *, threshold: Threshold = None, on_long: OnLong = "window"
    ) -> Iterator[Prediction]:
        """Tags a stream of any length in bounded memory; order is kept.

        Reads up to some ten thousand texts ahead of what it has yielded. Arguments and errors as in `predict`;
        an error about a text is raised when the stream reaches it.

        Yields:
            One prediction a text.
        """
        limits = self._limits(threshold)
        for window, scores in self._score(texts, on_long):
            yield from self._predictions(window, scores, limits)

    def predict_proba(self, texts: Iterable[str], *, on_long: OnLong = "window") -> Probabilities:
        """Calibrated probabilities of texts.

        Args:
            texts: Any iterable of str.
            on_long: As in `predict`.

        Returns:
            Array (texts, labels) of float32, columns in the order of `labels`.

        Raises:
            InputError: As in `predict`.
        """
        parts = [scores[window.text_of_row] for window, scores in self._score(texts, on_long)]
        return np.concatenate(parts) if parts else np.empty((0, len(self.labels)), np.float32)

    def tag_document(self, text: str, *, threshold: Threshold = None) -> Document:
        """Splits a document into sentences and tags each.

        Page furniture (share buttons, update lines, photo credits) is left out; offsets are those of the text
        as given.

        Args:
            text: A speech, communiqué, briefing or news report.
            threshold: As in `predict`.

        Returns:
            The sentences with offsets, labels, quotation, speaker and actors named, and a profile of the whole.

        Raises:
            InputError: `text` is not a str, has no visible character, or holds half a surrogate pair; or a threshold
                is unusable.
        """
        if not isinstance(text, str) or not text.strip():
            shown = repr(text) if len(repr(text)) < 60 else type(text).__name__
            raise InputError(f"the document is empty or not text: {shown}; remedy: pass a str with words in it")
        if (place := half_pair(text)) is not None:
            raise InputError(
                f"the document is not Unicode: half a surrogate pair at character {place}, {text[place]!r}; "
                "remedy: text.encode('utf-8', 'replace').decode()"
            )
        from rhetoric.documents import split_sentences  # its patterns take a while to compile
        from rhetoric.roles import find_roles

        spans = split_sentences(text)
        predictions = self.predict([span.text for span in spans], threshold=threshold)
        sentences = tuple(
            Sentence(
                text=span.text,
                start=span.start,
                end=span.end,
                labels=found.labels,
                scores=found.scores,
                uncertain=found.uncertain,
                quoted=span.quoted,
                speaker=span.speaker,
                actors=tuple(find_roles(text, span.start, span.end)),
            )
            for span, found in zip(spans, predictions, strict=True)
        )
        return Document(text, sentences, Profile.of(sentences, self.labels))

    def score_file(
        self,
        inputs: str | Path | Sequence[str | Path],
        output: str | Path,
        *,
        restart: bool = False,
        force: bool = False,
        progress: Progress | None = None,
        say: Callable[[str], None] | None = None,
        **options: Any,
    ) -> Summary:
        """Scores files of any size in bounded memory; a killed job goes on when it is called again.

        Args:
            inputs: CSV, TSV, JSONL, Parquet or text files (also .gz and .zst), glob patterns, folders; or "-".
            output: A .csv, .tsv, .jsonl or .parquet file; or "-". Its summary and quarantine are put beside it.
            restart: Throw away an unfinished job of this output.
            force: Replace the output.
            progress: Called a few times a second with how far the job is.
            say: Called with lines the user should read, such as which column was taken for the text.
            **options: See `rhetoric.scoring.Options`: text_column, layout, threshold, on_error, …

        Returns:
            The figures of the job.

        Raises:
            InputError: Inputs, output or options are unusable, or an unfinished job of this output is another.
            JobError: The job cannot go on (full disk, vanished input, another job on this output).
            ExtraError: A format needs a package that is not installed (Parquet, .zst).
        """
        from rhetoric.scoring import Options, score_file

        # All that the scores depend on: an unfinished job of another is not gone on with.
        model = {
            "labels": list(self.labels),
            "digest": self._folder.digest,
            "engine": self._engine.name,
            "device": self._choice.device,
            "precision": self._choice.precision,
        }
        wanted = Options.of(options)
        self._limits(wanted.threshold)
        return score_file(
            self,
            inputs,
            output,
            options=wanted,
            model=model,
            restart=restart,
            force=force,
            progress=progress,
            say=say,
        )

    def score_frame(self, frame: Frame, text_column: str | None = None, **options: Any) -> Frame:
        """Scores a pandas or polars DataFrame or a pyarrow Table.

        Args:
            frame: The frame; it is not changed.
            text_column: Column of the text; None to guess it.
            **options: See `rhetoric.scoring.Options`: layout, top, threshold, round, prefix, on_error, on_long.

        Returns:
            A frame of the same kind: its columns, then the added ones. Texts that cannot be scored have null
            labels and a reason in `error`.

        Raises:
            InputError: It is no frame, the column is missing, or an option is unusable.
        """
        from rhetoric.scoring import Options, score_frame

        column = None if text_column is None else str(text_column)  # pandas numbers columns without a header
        return score_frame(self, frame, options=Options.of({"text_column": column, **options}))

    def explain(self, text: str, label: str | None = None) -> Explanation:
        """Says which words carried a label.

        Args:
            text: The text to explain, best a sentence: it is scored about three times a word.
            label: The label to explain; None for those the text carries, or the strongest if it carries none.

        Returns:
            The contribution of every word to each label asked for.

        Raises:
            InputError: The text is as `predict` refuses it, or the label unknown.
        """
        from rhetoric.explain import occlude

        prediction = self.predict_one(text)
        if label is not None and label not in self.labels:
            raise InputError(f"unknown label {label!r}; remedy: one of {', '.join(self.labels)}")
        strongest = max(prediction.scores, key=prediction.scores.__getitem__)
        wanted = (label,) if label else prediction.labels or (strongest,)
        return occlude(text, wanted, [self.labels.index(name) for name in wanted], self.predict_proba)

    def __repr__(self) -> str:
        return f"RhetoricTagger({str(self._folder.path)!r}, engine={self._engine.name!r}, labels={len(self.labels)})"

    def _score(self, texts: Iterable[str], on_long: OnLong) -> Iterator[tuple[Window, Probabilities]]:
        """Windows of texts with the probabilities (distinct texts, labels) of each."""
        if on_long not in ON_LONG:
            raise InputError(f"on_long={on_long!r} is unknown; remedy: 'window', 'truncate' or 'error'")
        results = run_windows(
            self._engine,
            self._encode(texts, on_long),
            n_labels=len(self.labels),
            token_budget=self._choice.token_budget,
        )
        for window, logits in results:
            yield window, self._folder.probabilities(logits)

    def _encode(self, texts: Iterable[str], on_long: OnLong) -> Iterator[Window]:
        row = 0
        for window in cut_windows(texts):
            yield encode_window(
                self._tokenizer,
                window,
                max_tokens=self._folder.max_tokens,
                on_long=on_long,
                special=self._special,
                first_row=row,
            )
            row += len(window)

    def _limits(self, threshold: Threshold) -> npt.NDArray[np.float32]:
        """Threshold of each label, checked."""
        limits = self.thresholds
        if isinstance(threshold, Mapping):
            for name in threshold:
                if name not in limits:
                    raise InputError(f"unknown label {name!r} in threshold; remedy: one of {', '.join(limits)}")
            limits |= threshold
        elif threshold is not None:
            limits = dict.fromkeys(limits, threshold)
        for name, value in limits.items():
            if not isinstance(value, Real) or not 0 <= value <= 1:
                raise InputError(f"threshold {value!r} for {name!r} is no probability; remedy: a number from 0 to 1")
        return np.array(list(limits.values()), np.float32)

    def _predictions(
        self, window: Window, scores: Probabilities, limits: npt.NDArray[np.float32]
    ) -> Iterator[Prediction]:
        names = self.labels
        chosen = scores >= limits
        if self._folder.task == "single_label":  # exclusive classes: the best one, if it is sure enough
            chosen &= scores == scores.max(axis=1, keepdims=True)
        low, high = np.array([label.abstain for label in self._folder.labels], np.float32).T
        unsure = (scores >= low) & (scores <= high)
        ranked = np.argsort(-scores, axis=1, kind="stable")
        rows = scores.astype(float).tolist()
        for text in window.text_of_row.tolist():
            yield Prediction(
                labels=tuple(names[i] for i in ranked[text] if chosen[text, i]),
                scores=dict(zip(names, rows[text], strict=True)),
                uncertain=tuple(names[i] for i in np.flatnonzero(unsure[text])),
                truncated=bool(window.truncated[text]),
                n_tokens=int(window.n_tokens[text]),
            )


def _load_tokenizer(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    file = path / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise ModelError(f"the tokenizer {file} cannot be read ({error}); remedy: install the model again") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
