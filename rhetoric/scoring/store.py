"""The folder of a job, `OUT.job`: rows and quarantine so far, and a manifest that says how much of them counts.

A part is appended and synced first, the manifest replaced after it; what a kill leaves behind the bytes that the
manifest names is cut off when the job goes on. The output appears by a rename, the summary and the quarantine
before it, so that whoever sees the output sees them too.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rhetoric.errors import InputError, JobError
from rhetoric.scoring.lock import locked
from rhetoric.scoring.records import Position
from rhetoric.scoring.summary import Tally

__all__ = ["State", "Store", "job_folder", "open_store"]

MANIFEST, LOCK, ROWS, QUARANTINE = "manifest.json", "lock", "rows", "quarantine.jsonl"
FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


@dataclass(slots=True)
class State:
    """How far a job is.

    Attributes:
        position: Behind the last finished part.
        rows_bytes: Bytes of the rows that count.
        quarantine_bytes: Bytes of the quarantine that count.
        tally: The figures so far.
        done: Every part is finished.
    """

    position: Position = field(default_factory=Position)
    rows_bytes: int = 0
    quarantine_bytes: int = 0
    tally: Tally = field(default_factory=Tally)
    done: bool = False


class Store:
    """An open job folder; made by `open_store`."""

    def __init__(self, output: Path, folder: Path) -> None:
        self.output = output
        self.folder = folder
        self.state: State = State()
        self._identity: Mapping[str, Any] = {}

    @property
    def rows(self) -> Path:
        """The parts so far."""
        return self.folder / ROWS

    def begin(self, identity: Mapping[str, Any]) -> bool:
        """Takes up the job that is there, or starts one.

        Args:
            identity: Plain JSON values that say which job this is: inputs, model, options, version.

        Returns:
            Whether a job was taken up.

        Raises:
            InputError: The job that is there is another one, and rows of it are finished.
            JobError: It is damaged.
        """
        self._identity = json.loads(json.dumps(identity))
        manifest = self.folder / MANIFEST
        if manifest.exists():
            try:
                content = json.loads(manifest.read_text(encoding="utf-8"))
                state = content["state"]
                self.state = State(
                    **state | {"position": Position(**state["position"]), "tally": Tally(**state["tally"])}
                )
                before = content["identity"]
            except (ValueError, KeyError, TypeError) as error:
                raise JobError(f"{manifest} is damaged ({error!r}); remedy: --restart to start anew") from error
            if self._has_finished_rows():
                self._check_identity(before)
            elif before != self._identity:
                self.state = State()
                self._write_manifest()
        else:
            (self.folder / ROWS).write_bytes(b"")
            (self.folder / QUARANTINE).write_bytes(b"")
            self._write_manifest()
            return False
        if not self.state.done:
            self._cut(ROWS, self.state.rows_bytes)
            self._cut(QUARANTINE, self.state.quarantine_bytes)
        return True

    def commit(self, rows: bytes, quarantine: bytes) -> None:
        """Adds a part; `state` must already say what is behind it but for the bytes."""
        self.state.rows_bytes += self._append(ROWS, rows)
        self.state.quarantine_bytes += self._append(QUARANTINE, quarantine)
        self._write_manifest()

    def finish(self, made: Path | None, summary: Mapping[str, Any]) -> None:
        """Puts everything in its place.

        Args:
            made: The finished output in the job folder; None if an earlier run has put it in its place.
            summary: The summary of the job.
        """
        text = json.dumps(summary, indent=1, ensure_ascii=False) + "\n"
        self._replace("summary.json", text.encode(), beside(self.output, "summary.json"))
        quarantine = beside(self.output, "quarantine.jsonl")
        if self.state.quarantine_bytes:
            if (self.folder / QUARANTINE).exists():
                (self.folder / QUARANTINE).replace(quarantine)
        else:
            quarantine.unlink(missing_ok=True)  # of an output that this one replaces
        if made is not None:
            _sync(made)
            made.replace(self.output)
        _sync_folder(self.output.parent)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _append(self, name: str, data: bytes) -> int:
        if data:
            descriptor = os.open(self.folder / name, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return len(data)

    def _cut(self, name: str, size: int) -> None:
        file = self.folder / name
        found = file.stat().st_size if file.exists() else -1
        if found < size:
            raise JobError(
                f"{file} is damaged: {found} bytes, at least {size} expected; remedy: --restart to start anew"
            )
        if found > size:
            os.truncate(file, size)

    def _write_manifest(self) -> None:
        content = {"identity": self._identity, "state": asdict(self.state)}
        self._replace("manifest.part", json.dumps(content).encode(), self.folder / MANIFEST)
        _sync_folder(self.folder)

    def _replace(self, name: str, data: bytes, target: Path) -> None:
        part = self.folder / name
        part.write_bytes(data)
        _sync(part)
        part.replace(target)

    def _has_finished_rows(self) -> bool:
        """Whether something of the job is worth keeping: bytes that count, or files in the folders of parts."""
        in_folders = (file for path in self.folder.iterdir() if path.is_dir() for file in path.iterdir())
        state = self.state
        return state.done or state.rows_bytes + state.quarantine_bytes > 0 or any(in_folders)

    def _check_identity(self, before: Mapping[str, Any]) -> None:
        for key, value in self._identity.items():
            if before.get(key) != value:
                changed = ""
                if isinstance(value, dict) and isinstance(before.get(key), dict):
                    names = (name for name in value if before[key].get(name) != value[name])
                    changed = (
                        f" ({', '.join(f'{name}: {before[key].get(name)!r}, now {value[name]!r}' for name in names)})"
                    )
                if key == "inputs":
                    same = {entry["name"]: entry for entry in before.get(key, ())}
                    names = (entry["name"] for entry in value if same.get(entry["name"]) != entry)
                    changed = f" ({next(names, 'a file is missing')})"
                raise InputError(
                    f"the unfinished job at {self.folder} differs in {key}{changed}; remedy: the same as then to go "
                    "on, or --restart to start anew"
                )


@contextmanager
def open_store(output: Path, *, restart: bool, force: bool) -> Iterator[Store]:
    """Opens the job folder of an output and holds its lock.

    Args:
        output: The file to write.
        restart: Throw away an unfinished job.
        force: Replace an output that is there.

    Yields:
        The store; call `begin` first.

    Raises:
        InputError: The output is there, and not because a job was killed right after it had put it there.
        JobError: Another job is writing it, or the disk is full, or the folder cannot be written to.
    """
    if output.is_dir():
        raise InputError(f"{output} is a folder; remedy: the name of a file")
    if not output.parent.is_dir():
        raise InputError(f"there is no folder {str(output.parent)!r} to write {output.name} to; remedy: make it first")
    with job_folder(output, restart=restart, force=force) as folder:
        yield Store(output, folder)


@contextmanager
def job_folder(output: Path, *, restart: bool, force: bool) -> Iterator[Path]:
    """Makes the job folder of an output, holds its lock, and removes it unless a job is unfinished in it.

    Args:
        output: What is to be written.
        restart: Empty it first.
        force: Whether an output that is there may be replaced.

    Yields:
        The folder; without a manifest nothing else is in it either.

    Raises:
        InputError: The output is there, and not because a job was killed right after it had put it there.
        JobError: Another job is writing the output, or the disk is full, or the folder cannot be written to.
    """
    folder = beside(output, "job")
    manifest = folder / MANIFEST
    try:
        folder.mkdir(exist_ok=True)
        with locked(folder / LOCK, str(output)):
            try:
                if output.exists() and not force and (restart or not _is_done(manifest)):
                    raise InputError(f"{output} exists; remedy: another name, or --force to replace it")
                if restart or not manifest.exists():
                    _empty(folder)
                yield folder
            finally:
                if not manifest.exists():  # nothing was begun, or all is finished
                    shutil.rmtree(folder, ignore_errors=True)
        if sys.platform == "win32" and not manifest.exists():  # a locked file cannot be removed there
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        # a ModelError, one of Arrow's that is not about the disk, or what became of who was told the progress
        if error.errno is None or isinstance(error, ConnectionError):
            raise
        if error.errno in FULL:
            raise JobError(
                f"the disk is full, writing to {folder}; remedy: free space and run the same command again, which "
                "goes on from the last finished part"
            ) from error
        raise JobError(f"{folder} cannot be written to ({error.strerror}); remedy: another output folder") from error


def _is_done(manifest: Path) -> bool:
    """Whether every part was finished, so that an output that is there is the job's own."""
    try:
        return json.loads(manifest.read_text(encoding="utf-8"))["state"]["done"] is True
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _empty(folder: Path) -> None:
    """Removes what an earlier job left; its manifest first, so that a kill leaves nothing that seems to count."""
    (folder / MANIFEST).unlink(missing_ok=True)
    for file in folder.iterdir():
        if file.name != LOCK:
            shutil.rmtree(file) if file.is_dir() else file.unlink()


def beside(output: Path, what: str) -> Path:
    """A file or folder that belongs to an output."""
    return output.with_name(f"{output.name}.{what}")


def _sync(file: Path) -> None:
    with file.open("r+b") as stream:
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
