"""The register of operators (services/chassis/operators.py) and their private keys, as files of the local stack.

An entry is ended, never deleted: a replay judges old commands by it. A change holds from `MARGIN_S` after it was
written, when every service has read it, so that live and replayed decisions are the same.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local import passwords
from deploy.local.faults import StackFault
from deploy.local.layout import Layout

Entry = dict[str, Any]
ENDING = ".signing"
ON_BEHALF = ["unit", "by"]
# The person at the shell may do everything; ingestion puts the shipped catalogue in force.
FIRST = {
    "operator": {"commands": ["*"], "speaks_for": ["*"]},
    "svc-ingestion": {"commands": ["ingestion:publish_item", "ingestion:register_consumer"], "speaks_for": []},
}
MARGIN_S = 2
HEAD = "# Who may give commands, and on whose behalf (services/chassis/operators.py). Entries are ended, not deleted.\n"


def file_of(layout: Layout) -> Path:
    """The register; it holds public keys only."""
    return layout.var / "operators" / "register.toml"  # a folder of its own: containers see it replaced


def seed(layout: Layout, principal: str) -> str:
    """The private key of a principal that has one, in hexadecimal; raises `StackFault`."""
    file = layout.secrets / f"{principal}{ENDING}"
    if not file.exists():
        raise StackFault(f"there is no key of {principal} in {layout.secrets}: credit up, or credit operator add")
    return file.read_text(encoding="ascii").strip()


def prepare(layout: Layout) -> None:
    """Make the register and the first keys; what is there stays. What was published before is not checked."""
    if not file_of(layout).exists():
        now = _now()
        entries = [_entry(layout, principal, now, rights) for principal, rights in FIRST.items()]
        _write(layout, {"checked_since": now, "on_behalf": ON_BEHALF, "operator": entries})


def add(layout: Layout, principal: str, commands: Iterable[str], speaks_for: Iterable[str]) -> Entry:
    """Register a principal with a new key; raises `StackFault` while it has an entry that holds."""
    table = read(layout)
    if any(entry["principal"] == principal and "until" not in entry for entry in table["operator"]):
        raise StackFault(f"{principal} is registered already: credit operator list; credit operator end {principal}")
    (layout.secrets / f"{principal}{ENDING}").unlink(missing_ok=True)
    entry = _entry(layout, principal, _soon(), {"commands": [*commands], "speaks_for": [*speaks_for]})
    _change(layout, table | {"operator": [*table["operator"], entry]})
    return entry


def end(layout: Layout, principal: str) -> Entry:
    """End a principal's entry; raises `StackFault` when it has none that holds."""
    table = read(layout)
    for entry in table["operator"]:
        if entry["principal"] == principal and "until" not in entry:
            entry["until"] = _soon()
            _change(layout, table)
            return entry
    raise StackFault(f"{principal} is not registered: credit operator list")


def read(layout: Layout) -> dict[str, Any]:
    """The register as TOML has it; raises `StackFault` before the stack was ever up."""
    if not file_of(layout).exists():
        raise StackFault("there is no register of operators yet: credit up")
    return tomllib.loads(file_of(layout).read_text(encoding="utf-8"))


def _entry(layout: Layout, principal: str, since: datetime, rights: Mapping[str, list[str]]) -> Entry:
    private = passwords.secret(layout.secrets / f"{principal}{ENDING}")
    public = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private)).public_key().public_bytes_raw().hex()
    return {"principal": principal, "public_key": public, "since": since, **rights}


def _now() -> datetime:
    return datetime.fromtimestamp(time.time_ns() // 1_000_000_000, UTC)


def _soon() -> datetime:
    return _now() + timedelta(seconds=1 + MARGIN_S)


def _change(layout: Layout, table: Mapping[str, Any]) -> None:
    _write(layout, table)
    time.sleep(MARGIN_S + 2)  # it holds when this returns


def _write(layout: Layout, table: Mapping[str, Any]) -> None:
    """Replaced as a whole, so that no service reads half of it."""
    head = [_line(name, table[name]) for name in ("checked_since", "on_behalf")]
    entries = ["\n".join(["\n[[operator]]", *(_line(*pair) for pair in entry.items())]) for entry in table["operator"]]
    passwords.write_private(file_of(layout), HEAD + "\n".join([*head, *entries]) + "\n")


def _line(name: str, value: Any) -> str:
    """One line of TOML; every text here is ASCII without quotes or backslashes (the command line sees to it)."""
    if isinstance(value, datetime):
        return f"{name} = {value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"{name} = [{', '.join(map(_quoted, value))}]" if isinstance(value, list) else f"{name} = {_quoted(value)}"  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]


def _quoted(text: object) -> str:
    return f'"{text}"'
