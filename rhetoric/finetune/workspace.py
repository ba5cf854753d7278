"""Where a run writes until it is done: `OUT.training`, beside the target, renamed to it at the end.

A folder at the target is therefore always whole. What a killed run leaves behind is its checkpoints, with the
identity of the run, so that `--resume` goes on with the same data and settings or not at all.
"""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rhetoric.errors import InputError, JobError
from rhetoric.finetune.processes import is_first
from rhetoric.model_folder import MANIFEST

__all__ = ["FITTED", "check_target", "workspace"]

IDENTITY = "run.json"
FITTED = "fitted.json"  # of a member that is done


def check_target(out: Path, *, force: bool) -> None:
    """Refuses a target that is taken.

    Raises:
        InputError: Something is there and `force` is not set; or it is no model folder, which is never replaced.
    """
    if not out.exists():
        return
    if not force:
        raise InputError(f"{out} exists; remedy: another name, or --force to replace it")
    if not (out / MANIFEST).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is no model folder, so --force does not replace it; remedy: another name")


@contextmanager
def workspace(out: Path, identity: Mapping[str, Any], *, resume: bool, force: bool) -> Iterator[Path]:
    """Makes the work folder; what the block writes to its subfolder `model` becomes `out` if the block succeeds.

    Args:
        out: The target.
        identity: Plain JSON values that say which run this is.
        resume: Take up an unfinished run with the same identity.
        force: Throw away an unfinished run, and replace a model folder at the target.

    Yields:
        The work folder, for checkpoints.

    Raises:
        InputError: An unfinished run is there and neither `resume` nor `force` is set, or it is another run.
        JobError: The disk is full.
    """
    work = out.with_name(f"{out.name}.training")
    if not is_first():  # of several processes the first one makes and removes it
        yield work
        return
    model, done = work / "model", False
    try:
        _open(work, identity, resume=resume, force=force)
        shutil.rmtree(model, ignore_errors=True)
        model.mkdir()
        yield work
        if out.exists():
            out.rename(work / "replaced")
        model.rename(out)
        done = True
    except Exception as error:
        if "No space left on device" not in str(error):  # safetensors has an error class of its own for it
            raise
        raise JobError(f"the disk is full, writing to {work}; remedy: free space and run with --resume") from error
    finally:
        shutil.rmtree(model, ignore_errors=True)
        if done or not (any(work.rglob("checkpoint-*")) or any(work.rglob(FITTED))):
            shutil.rmtree(work, ignore_errors=True)


def _open(work: Path, identity: Mapping[str, Any], *, resume: bool, force: bool) -> None:
    record = work / IDENTITY
    if work.exists() and resume:
        _check_identity(record, identity)
        return
    if work.exists():
        if not force:
            raise InputError(f"an unfinished run is at {work}; remedy: --resume to go on, or --force to start anew")
        shutil.rmtree(work)
    try:
        work.mkdir(parents=True)
        record.write_text(json.dumps(identity, indent=1), encoding="utf-8")
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise InputError(f"{work} cannot be written ({error.strerror}); remedy: another folder") from error


def _check_identity(record: Path, identity: Mapping[str, Any]) -> None:
    try:
        before = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"{record} is missing or damaged; remedy: --force to start anew") from None
    now = json.loads(json.dumps(identity))
    for key in now:
        if before.get(key) != now[key]:
            detail = ""
            if isinstance(now[key], dict) and isinstance(before.get(key), dict):
                changed = [name for name in now[key] if before[key].get(name) != now[key][name]]
                detail = f" ({', '.join(changed)})"
            raise InputError(
                f"the unfinished run at {record.parent} had other {key}{detail}; "
                "remedy: the same as then, or --force to start anew"
            )
