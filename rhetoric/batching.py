"""From texts to batches and back: what makes scoring fast without changing a score.

Each distinct text is tokenised and computed once; sequences of a window are grouped by token length, longest
first, and cut by a token budget; results go back in the order of the texts. Groups hold one length, exact or
rounded up, unless the engine can take mixed ones, so little or nothing is padded, and a sentence meets the same
arithmetic whoever its neighbours are. Pure functions: no engine, no threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from rhetoric.errors import InputError

__all__ = [
    "ON_LONG",
    "Batch",
    "OnLong",
    "Window",
    "collect",
    "cut_windows",
    "encode_window",
    "half_pair",
    "plan_batches",
]

OnLong = Literal["window", "truncate", "error"]
ON_LONG: tuple[OnLong, ...] = get_args(OnLong)

# A window is what is sorted at once. The first is small so that a stream's first results come soon; full ones
# are large enough that nearly every length fills its batches, and small enough to hold a few megabytes.
FIRST_WINDOW = 512
FULL_WINDOW = 8192
WINDOW_CHARACTERS = 4_000_000

Ids = npt.NDArray[np.int64]
Logits = npt.NDArray[np.float32]


class Encoder(Protocol):
    """The part of `tokenizers.Tokenizer` that is used here."""

    def encode_batch_fast(self, input: list[str], *, add_special_tokens: bool = True) -> Sequence[Any]:
        """Encodes texts; each result has `ids`."""


@dataclass(frozen=True, slots=True)
class Window:
    """Texts that are tokenised and sorted together.

    A text has one sequence, or several overlapping ones if it is longer than the model reads at once.

    Attributes:
        ids: (tokens,): word pieces of all sequences, special tokens included, one after the other.
        offsets: (sequences + 1,): where each sequence starts in `ids`, and where the last one ends.
        owner: (sequences,): index of the distinct text of each, ascending.
        text_of_row: (rows,): index of the distinct text of each row of the input.
        n_tokens: (distinct texts,): word pieces of each, without special tokens.
        truncated: (distinct texts,): whether words of it are in no sequence.
    """

    ids: Ids
    offsets: Ids
    owner: Ids
    text_of_row: Ids
    n_tokens: Ids
    truncated: npt.NDArray[np.bool_]

    @property
    def lengths(self) -> Ids:
        """Length of each sequence in word pieces."""
        return np.diff(self.offsets)


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences that go through the network together.

    Attributes:
        ids: (tokens,): word pieces of the sequences, one after the other, nothing in between.
        lengths: (sequences,): word pieces of each, special tokens included.
        sequences: (sequences,): their indices in the window.
    """

    ids: Ids
    lengths: Ids
    sequences: Ids


def cut_windows(texts: Iterable[str]) -> Iterator[list[str]]:
    """Cuts a stream into lists of bounded size, checking each text.

    Args:
        texts: Any iterable of str, of any length.

    Yields:
        Lists of up to `FULL_WINDOW` texts, the first ones smaller.

    Raises:
        InputError: `texts` is a str, bytes or mapping, or an item is not a str, has no visible character or
            holds half a surrogate pair; the message has its index, type and value.
    """
    if isinstance(texts, (str, bytes, dict)):
        raise InputError(
            f"texts is one {type(texts).__name__}, not several texts; remedy: pass a list, or use predict_one(text)"
        )
    no_axis = getattr(texts, "ndim", 1) == 0  # a numpy array of one text, which has __iter__ and is not iterable
    if hasattr(texts, "columns") or no_axis or not isinstance(texts, Iterable):
        raise InputError(
            f"texts is a {type(texts).__name__}, not texts; remedy: a list or a column of them, or score_frame(frame)"
        )
    size, held, window = FIRST_WINDOW, 0, []
    for row, text in enumerate(texts):
        _check_text(text, row)
        window.append(text)
        held += len(text)
        if len(window) >= size or held >= WINDOW_CHARACTERS:
            yield window
            size, held, window = min(2 * size, FULL_WINDOW), 0, []
    if window:
        yield window


def _check_text(text: object, row: int) -> None:
    if not isinstance(text, str):
        raise InputError(
            f"texts[{row}] is {type(text).__name__}, not str: {_shorten(repr(text))}; "
            "remedy: convert or drop it (missing values are often float nan)"
        )
    if not text or text.isspace():
        raise InputError(f"texts[{row}] is empty: {_shorten(repr(text))}; remedy: drop empty texts before scoring")
    if (place := half_pair(text)) is not None:
        raise InputError(
            f"texts[{row}] is not Unicode: half a surrogate pair at character {place}: {_shorten(repr(text))}; "
            "remedy: text.encode('utf-8', 'replace').decode()"
        )


def half_pair(text: str) -> int | None:
    """Index of the first half of a surrogate pair, which is no character and no tokenizer takes; None without one."""
    if text.isascii():  # told at once, and true of most texts
        return None
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start
    return None


def _shorten(value: str, limit: int = 60) -> str:
    return value if len(value) <= limit else value[: limit - 1] + "…"


def encode_window(
    tokenizer: Encoder,
    texts: Sequence[str],
    *,
    max_tokens: int,
    on_long: OnLong,
    special: tuple[int, int],
    first_row: int = 0,
) -> Window:
    """Tokenises the distinct texts of a window once.

    Args:
        tokenizer: Fast tokenizer, with neither padding nor truncation.
        texts: The rows of the window.
        max_tokens: Longest sequence, its two special tokens included.
        on_long: What to do with longer texts: overlapping sequences ("window", half overlapping, so that every
            sentence-sized piece is seen whole), the first `max_tokens` ("truncate"), or raise ("error").
        special: Ids put before and after each sequence.
        first_row: Index of the first text, for error messages.

    Returns:
        The encoded window.

    Raises:
        InputError: A text is too long and `on_long` is "error".
    """
    index: dict[str, int] = {}
    text_of_row = np.fromiter((index.setdefault(text, len(index)) for text in texts), np.int64, len(texts))
    encoded = tokenizer.encode_batch_fast(list(index), add_special_tokens=False)
    room = max_tokens - 2
    pieces: list[list[int]] = []
    owner: list[int] = []
    n_tokens = np.empty(len(index), np.int64)
    truncated = np.zeros(len(index), np.bool_)
    for text, encoding in enumerate(encoded):
        ids = encoding.ids
        n_tokens[text] = len(ids)
        if len(ids) <= room:
            pieces.append(ids)
            owner.append(text)
            continue
        if on_long == "error":
            row = first_row + int(np.argmax(text_of_row == text))
            raise InputError(
                f"texts[{row}] has {len(ids)} tokens, the model reads {room} at once; remedy: split it into "
                'sentences (tag_document does), or use on_long="window" or "truncate"'
            )
        truncated[text] = on_long == "truncate"
        for start in _window_starts(len(ids), room) if on_long == "window" else (0,):
            pieces.append(ids[start : start + room])
            owner.append(text)
    first, last = special
    lengths = np.fromiter((len(piece) + 2 for piece in pieces), np.int64, len(pieces))
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    flat = np.empty(offsets[-1], np.int64)
    for start, piece in zip(offsets[:-1].tolist(), pieces, strict=True):
        flat[start] = first
        flat[start + 1 : start + 1 + len(piece)] = piece
        flat[start + 1 + len(piece)] = last
    return Window(flat, offsets, np.array(owner, np.int64), text_of_row, n_tokens, truncated)


def _window_starts(length: int, room: int) -> Iterator[int]:
    """Starts of half-overlapping pieces of `room` word pieces; the last one ends at the end of the text."""
    yield from range(0, length - room, room // 2)
    yield length - room


def plan_batches(window: Window, *, token_budget: int, length_step: int | None) -> Iterator[Batch]:
    """Groups the sequences of a window into batches, longest first.

    Args:
        window: The encoded texts.
        token_budget: Most word pieces in a batch; a single longer sequence is a batch of its own.
        length_step: Put only sequences together whose lengths are the same once rounded up to a multiple of this, and
            count them so; None to put any together.

    Yields:
        Batches that hold every sequence of the window once.
    """
    lengths = window.lengths
    order = np.argsort(-lengths, kind="stable")
    step = length_step or 1
    widths = (-(-lengths[order] // step) * step).tolist()
    start = held = 0
    for end, width in enumerate([*widths, 0]):
        full = held + width > token_budget or (length_step is not None and end > start and width != widths[start])
        if end > start and (full or end == len(widths)):
            yield _gather(window, order[start:end])
            start, held = end, 0
        held += width


def _gather(window: Window, sequences: Ids) -> Batch:
    starts, ends = window.offsets[sequences], window.offsets[sequences + 1]
    ids = np.concatenate([window.ids[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)])
    return Batch(ids, ends - starts, sequences)


def collect(window: Window, results: Iterable[tuple[Batch, Logits]], n_labels: int) -> Logits:
    """Puts the logits of the batches back in the order of the distinct texts.

    A text of several sequences gets, for each label, its largest logit: a text carries a label if one of its
    parts does.

    Args:
        window: The window the batches were planned from.
        results: Each batch with its logits (sequences, labels), in any order.
        n_labels: Number of labels.

    Returns:
        Logits (distinct texts, labels).
    """
    of_sequence = np.empty((len(window.owner), n_labels), np.float32)
    for batch, logits in results:
        of_sequence[batch.sequences] = logits
    first_sequence = np.flatnonzero(np.diff(window.owner, prepend=-1))
    return np.asarray(np.maximum.reduceat(of_sequence, first_sequence, axis=0), np.float32)
