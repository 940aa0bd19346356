"""The pepper of all subject ids, read once; it is made by whoever sets up the platform, never here."""

from __future__ import annotations

from pathlib import Path

from services.chassis.settings import Reader, secret

LEAST = 16


def load_pepper(folder: Path) -> bytes:
    """The key of the blind ids; raises `SettingsFault`. A lost pepper is a lost platform: no new one is ever made."""
    reader = Reader({"identity.pepper": str(folder / "identity.pepper")})
    pepper: bytes = reader.read("identity.pepper", _pepper)
    reader.finish()
    return pepper


def _pepper(path: str) -> bytes:
    try:
        pepper = bytes.fromhex(secret(path))
    except ValueError as error:
        # The text of a failed conversion quotes the secret's characters: it goes no further.
        raise ValueError(str(error) if "chmod" in str(error) else "must hold hexadecimal digits") from None
    if not LEAST <= len(pepper) <= 64:
        raise ValueError(f"must hold {LEAST} to 64 bytes in hexadecimal")
    return pepper
