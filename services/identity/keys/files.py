"""What identity reads at the start for persons' keys; all faults at once, never a secret in their text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.chassis.cipher import AES, Suite, suite_named
from services.chassis.settings import Reader, Settings, secret
from services.identity.keys.certificate import Certifier
from services.identity.keys.kms import FileKms

CIPHER = "CREDIT_IDENTITY_CIPHER"
KEK, CERTIFICATE = "identity.kek", "identity.certificate"
# Who may call the Keys service: the names of the files that hold what each of them shows.
INGESTION, OPERATOR = "keys.ingestion", "keys.operator"


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The master key, the cipher of new keys, the signer of certificates, and what callers show, by caller."""

    kms: FileKms
    suite: Suite
    certifier: Certifier = field(repr=False)
    credentials: Mapping[str, bytes] = field(repr=False)


def load_key_files(settings: Settings) -> KeyFiles:
    """Raises `SettingsFault`; makes none of these files: a new one would be the end of everything that was sealed."""
    names = (KEK, CERTIFICATE, INGESTION, OPERATOR)
    here = {name: str(settings.secrets / name) for name in names}
    reader = Reader({**settings.environment, **here})
    kms = reader.read(KEK, lambda path: FileKms(Path(path)))
    seed = reader.read(CERTIFICATE, _thirty_two)
    credentials = {name: reader.read(name, _thirty_two) for name in (INGESTION, OPERATOR)}
    suite = reader.read(CIPHER, suite_named, AES.name)
    if credentials[INGESTION] is not None and credentials[INGESTION] == credentials[OPERATOR]:
        reader.faults.append(f"{OPERATOR}: must not be the same as {INGESTION}")
    reader.finish()
    return KeyFiles(kms, suite, Certifier(seed), credentials)


def _thirty_two(path: str) -> bytes:
    content = secret(path)
    try:
        found = bytes.fromhex(content)
    except ValueError:
        found = b""
    if len(found) != 32:
        raise ValueError("must hold 32 bytes in hexadecimal") from None
    return found
