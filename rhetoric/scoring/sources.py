"""From what the user names (files, globs, folders, standard input) to a list of files, each with an identity.

Compression is told by the first bytes, not by the name. The identity is the SHA-256 of the file: hashing takes a
thousandth of the time of scoring, and dates lie when archives are copied.
"""

from __future__ import annotations

import glob
import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rhetoric.errors import InputError, JobError, require

__all__ = ["Say", "Source", "find_sources", "open_text", "spool"]

Say = Callable[[str], None]

KINDS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".txt": "txt",
    ".text": "txt",
}
COMPRESSED = (".gz", ".zst", ".zstd")
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """An input file.

    Attributes:
        path: Where it is.
        name: What the user called it.
        kind: One of `INPUT_FORMATS`.
        size: Bytes on disk.
        modified: Time of its last change in nanoseconds.
        sha256: Of its bytes.
    """

    path: Path
    name: str
    kind: str
    size: int
    modified: int
    sha256: str

    @property
    def identity(self) -> dict[str, Any]:
        """What must be the same for a job to go on."""
        return {"name": self.name, "bytes": self.size, "sha256": self.sha256}

    def check_unchanged(self) -> None:
        """Raises JobError if the file is no longer the one that was hashed at the start."""
        try:
            now = self.path.stat()
        except OSError as error:
            raise JobError(
                f"{self.name} vanished while the job ran ({error.strerror}); remedy: put it back and run the same "
                "command again, which goes on from the last finished part"
            ) from error
        if (now.st_size, now.st_mtime_ns) != (self.size, self.modified):
            raise JobError(f"{self.name} was changed while the job ran; remedy: run again with --restart")


def find_sources(inputs: Sequence[str | Path], *, kind: str | None, output: Path | None, say: Say) -> list[Source]:
    """Finds and hashes the input files.

    Args:
        inputs: Files, glob patterns and folders (searched with their subfolders), in order.
        kind: Format of files whose name does not tell; it overrides the name.
        output: The output; what belongs to it is no input.
        say: Told what is left out.

    Returns:
        The files, each once, folders and patterns sorted by name.

    Raises:
        InputError: Nothing is there, a format is unknown, or formats are mixed.
        JobError: A file cannot be read.
    """
    paths = dict.fromkeys(path for name in inputs for path in _expand(str(name), kind, output, say))
    sources = [_identify(path, kind) for path in paths]
    families = {"csv" if source.kind == "tsv" else source.kind for source in sources}
    if len(families) > 1:
        raise InputError(
            f"the inputs are of several kinds ({', '.join(sorted(families))}); remedy: one job a kind, for example "
            "with a pattern like 'folder/*.csv'"
        )
    if output is not None and any(_same(source.path, output) for source in sources):
        raise InputError(f"{output} is input and output at once; remedy: another output")
    return sources


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _expand(name: str, kind: str | None, output: Path | None, say: Say) -> Iterator[Path]:
    path = Path(name)
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError):  # an impossible name
        is_folder = exists = False
    if exists and not is_folder:
        if not path.is_file():
            raise InputError(
                f"{name} is a pipe or a device, which can be read only once; remedy: - for standard input, as in "
                f"rhetoric score - --input-format csv < {name}"
            )
        yield path
        return
    if is_folder:
        found = sorted(file for file in path.rglob("*") if file.is_file() and not _hidden(file.relative_to(path)))
    else:
        matches = map(Path, glob.glob(name, recursive=True))  # noqa: PTH207 - pathlib takes no absolute pattern
        found = sorted(match for match in matches if match.is_file())
    candidates = [file for file in found if not _belongs_to(file, output)]
    known = candidates if kind and not is_folder else [file for file in candidates if _kind_of(file)]
    if len(known) < len(candidates):
        say(f"{name}: {len(candidates) - len(known)} files of other kinds left out")
    if not known:
        what = f"no file of a known kind in {name!r}" if is_folder else f"no file at {name!r}"
        raise InputError(f"{what}; remedy: check the path; known are {', '.join(KINDS)}, also .gz and .zst of the text")
    yield from known


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part.endswith(".job") for part in path.parts)


def _belongs_to(file: Path, output: Path | None) -> bool:
    """True for the output itself, its summary, its quarantine, and what is in its job folder."""
    if output is None:
        return False
    target, file = output.resolve(), file.resolve()
    if file.parent == target.parent:
        return file.name in (target.name, f"{target.name}.summary.json", f"{target.name}.quarantine.jsonl")
    return target.with_name(f"{target.name}.job") in file.parents


def _kind_of(path: Path) -> str | None:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return KINDS.get(suffixes[-1]) if suffixes else None


def _identify(path: Path, kind: str | None) -> Source:
    found = kind or _kind_of(path)
    if found is None:
        raise InputError(
            f"the name of {path} does not tell its format; remedy: --input-format csv, tsv, jsonl, parquet or txt "
            "(a sheet of a workbook: save it as CSV first)"
        )
    try:
        before = path.stat()
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
    except OSError as error:
        raise JobError(f"{path} cannot be read ({error.strerror}); remedy: check its permissions") from error
    return Source(path, path.as_posix(), found, before.st_size, before.st_mtime_ns, digest.hexdigest())


def spool(stream: BinaryIO, folder: Path, kind: str | None) -> Source:
    """Copies standard input to a file, since a job must be able to read its input again.

    Args:
        stream: Standard input.
        folder: Where to put the copy.
        kind: Its format.

    Raises:
        InputError: The format is not given.
        OSError: The disk is full.
    """
    if kind is None:
        raise InputError("standard input has no name to tell its format; remedy: --input-format csv, jsonl, txt, …")
    path, digest = folder / "stdin", hashlib.sha256()
    with path.open("wb") as copy:
        while block := stream.read(BLOCK):
            digest.update(block)
            copy.write(block)
    found = path.stat()
    return Source(path, "-", kind, found.st_size, found.st_mtime_ns, digest.hexdigest())


@contextmanager
def open_text(source: Source, offset: int = 0) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Opens a text file, uncompressed on the way.

    Args:
        source: The file.
        offset: Bytes of the uncompressed text to pass over; a plain file is not read for that.

    Yields:
        The text, and the file below it, whose position is the progress.

    Raises:
        JobError: The file is gone, damaged, or cut off.
        InputError: It is UTF-16.
    """
    try:
        with source.path.open("rb") as raw:
            head = raw.read(4)
            raw.seek(0)
            stream: Any = raw
            if head.startswith(GZIP):
                stream = gzip.GzipFile(fileobj=raw)
            elif head.startswith(ZSTD):
                stream = io.BufferedReader(_ZstdReader(raw), BLOCK)
            elif head[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise InputError(f"{source.name} is UTF-16, not UTF-8; remedy: iconv -f UTF-16 -t UTF-8")
            if stream is raw:
                raw.seek(offset)
            else:
                _pass_over(stream, offset)
            yield stream, raw
    except (EOFError, zlib.error) as error:
        raise _damaged(source, error) from error
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise _damaged(source, error) from error
        if isinstance(error, FileNotFoundError):
            source.check_unchanged()
        raise JobError(
            f"{source.name} cannot be read ({error.strerror or error}); remedy: check the disk and run the same "
            "command again, which goes on from the last finished part"
        ) from error
    except Exception as error:
        if type(error).__module__.split(".")[0] == "zstandard":
            raise _damaged(source, error) from error
        raise


class _ZstdReader(io.RawIOBase):
    """Frames of a zstd file one after the other; unlike the package's own reader, it notices a cut-off end."""

    # Little is taken at once, since a few bytes may unfold to many.
    TAKEN = 8192

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._make = require("zstandard", extra="zstd").ZstdDecompressor().decompressobj
        self._frame: Any = None
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills a buffer; 0 at the end of the last frame."""
        while not self._left:
            data = self._raw.read(self.TAKEN)
            if not data:
                if self._frame is not None:
                    raise EOFError("it ends inside a zstd frame")
                return 0
            self._frame = self._frame or self._make()
            self._left = memoryview(self._frame.decompress(data))
            if self._frame.eof:
                self._raw.seek(-len(self._frame.unused_data), io.SEEK_CUR)
                self._frame = None
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _pass_over(stream: BinaryIO, offset: int) -> None:
    while offset > 0:
        block = stream.read(min(offset, BLOCK))
        if not block:
            raise EOFError("it ends before the place where the job stopped")
        offset -= len(block)


def _damaged(source: Source, error: Exception) -> JobError:
    return JobError(
        f"{source.name} is damaged or cut off ({error}); remedy: fetch the file again and run with --restart"
    )
