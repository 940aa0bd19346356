"""The settings of a service process, read once from the environment; all faults are reported at once."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from services.chassis import crashpoints


class SettingsFault(Exception):
    """One line per missing or unusable variable; never a secret."""


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Reader:
    """Reads variables one by one, remembers what is wrong, raises it all in `finish`; for a service's config.py too."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.environment: Mapping[str, str] = dict(os.environ if environment is None else environment)
        self.faults: list[str] = []

    def read(self, name: str, convert: Callable[[str], Any] = str, default: str | None = None) -> Any:
        """The converted variable; a missing one without default and a refused one are faults."""
        text = self.environment.get(name) or default
        if text is None:
            self.faults.append(f"{name} is not set")
            return None
        try:
            return convert(text)
        except (ValueError, OSError) as error:
            self.faults.append(f"{name}: {error}")
            return None

    def finish(self) -> None:
        """Raise `SettingsFault` if anything was wrong."""
        if self.faults:
            raise SettingsFault("\n".join(self.faults))


@dataclass(frozen=True, slots=True)
class Settings:
    """What every service needs to know of its surroundings; what only one of them needs is in its config.py."""

    service: str
    worker: int
    kafka: str
    kafka_user: str
    kafka_password: str = field(repr=False)
    postgres_dsn: str
    postgres_password: str = field(repr=False)
    registry: str
    http: Address
    grpc: Address
    secrets: Path
    avro: Path
    environment: Mapping[str, str] = field(repr=False)

    @property
    def group(self) -> str:
        """The consumer group: the service's name with hyphens."""
        return self.service.replace("_", "-")

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
        """Read `CREDIT_*`; raises `SettingsFault` naming everything that is wrong."""
        reader = Reader(environment)
        read = reader.read
        found = Settings(
            service=read("CREDIT_SERVICE", service_name),
            worker=read("CREDIT_WORKER", natural, "0"),
            kafka=read("CREDIT_KAFKA", brokers),
            kafka_user=read("CREDIT_KAFKA_USER"),
            kafka_password=read("CREDIT_KAFKA_PASSWORD_FILE", secret),
            postgres_dsn=read("CREDIT_POSTGRES_DSN", url),
            postgres_password=read("CREDIT_POSTGRES_PASSWORD_FILE", secret),
            registry=read("CREDIT_REGISTRY", url),
            http=read("CREDIT_HTTP", address),
            grpc=read("CREDIT_GRPC", address),
            secrets=read("CREDIT_SECRETS", Path),
            avro=read("CREDIT_AVRO", Path, str(Path(__file__).parents[2] / "avro")),
            environment=reader.environment,
        )
        read("CREDIT_CRASH_AT", crash_at, "")
        reader.finish()
        return found


def service_name(text: str) -> str:
    """A name that is also a database role."""
    if re.fullmatch(r"[a-z][a-z_]*", text) is None:
        raise ValueError("must be lower-case letters and underscores")
    return text


def natural(text: str) -> int:
    """0, 1, 2 ..."""
    if not text.isdecimal():
        raise ValueError("must be a natural number")
    return int(text)


def address(text: str) -> Address:
    """`host:port`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError("must be host:port")
    return Address(host, int(port))


def brokers(text: str) -> str:
    """`host:port`, several separated by commas."""
    for part in text.split(","):
        address(part)
    return text


def url(text: str) -> str:
    """A URL without a password: those live in files."""
    parts = urlsplit(text)
    if not parts.scheme or not parts.netloc:
        raise ValueError("must be a URL")
    if parts.password is not None:
        raise ValueError("must not hold a password; name its file instead")
    return text.rstrip("/")


def secret(path: str) -> str:
    """The content of a secret file, refused when others than its owner may read it."""
    file = Path(path)
    mode = file.stat().st_mode
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise ValueError("must be a file that nobody but its owner may read: chmod 600 it")
    content = file.read_text(encoding="utf-8").strip()
    if not content:
        raise ValueError("the file is empty")
    return content


def crash_at(text: str) -> str:
    """`service:cp:n`, `service:cp:n:stop` or nothing."""
    if text and crashpoints.FORM.fullmatch(text) is None:
        raise ValueError("must be service:cp1..cp10:n or service:cp1..cp10:n:stop")
    return text
