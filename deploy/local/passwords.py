"""Secret files of the local stack: made once, mode 0600, never printed, never where others may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from deploy.local.faults import StackFault

# Identity's keys, and what callers of its key service show: 256 random bits each, like a password.
KEYS = ("identity.pepper", "identity.kek", "identity.certificate", "keys.ingestion", "keys.operator")


def path_of(folder: Path, name: str) -> Path:
    """The file that holds the password of a principal or role."""
    return folder / f"{name}.password"


def password(folder: Path, name: str) -> str:
    """The password of a principal or role; made on first use."""
    return secret(path_of(folder, name))


def existing(folder: Path, name: str) -> str:
    """The password of a principal that must be known already; raises `StackFault`."""
    file = path_of(folder, name)
    if not file.exists():
        raise StackFault(f"there is no password of {name} in {folder}: credit up, or credit agency add {name}")
    return file.read_text().strip()


def keys(folder: Path) -> None:
    """All of `KEYS`; those that are there stay as they are."""
    for name in KEYS:
        secret(folder / name)


def secret(file: Path) -> str:
    """The content of a secret file; made on first use, 256 random bits as hex."""
    if not file.exists():
        write_private(file, secrets.token_hex(32) + "\n")
    return file.read_text().strip()


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read; a reader never sees half of it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    draft.replace(file)
