"""Which views of which stores must be equal, and how the services are asked about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from rich.progress import Progress

from deploy.local.layout import SERVICES, Layout
from services.cli import programs
from services.cli.reconcile_tree import Row


class Side(NamedTuple):
    """A view of a service's records; `followed_by`: only those of the items that this service follows."""

    service: str
    view: str
    followed_by: str = ""


class Pair(NamedTuple):
    """Two views that must be equal; `but_waiting`: except for what waits in identity's review."""

    one: Side
    other: Side
    but_waiting: bool

    @property
    def services(self) -> set[str]:
        """Whom to ask."""
        return {self.one.service, self.other.service, *([WAITING.service] if self.but_waiting else [])}


WAITING = Side("identity", "waiting")
PAIRS = (
    Pair(Side("ingestion", "records"), Side("identity", "known"), False),
    Pair(Side("identity", "linked"), Side("disclosure", "standing"), False),
    Pair(Side("ingestion", "to_show"), Side("disclosure", "shown"), True),
    Pair(Side("ingestion", "records", "sanctions"), Side("sanctions", "listings"), True),
    Pair(Side("ingestion", "records", "national_sync"), Side("national_sync", "exchanges"), True),
)


class Stores:
    """Asks the services' programs, all that are concerned at once; each of them reads its store in one moment."""

    def __init__(self, layout: Layout, progress: Progress) -> None:
        self._layout = layout
        self._progress = progress
        self._items: dict[str, frozenset[str]] = {}  # what each service follows

    def ask(self, what: str, services: Collection[str], words: Sequence[str]) -> dict[str, list[Row]]:
        """What `digest <words>` says, by service."""
        task = self._progress.add_task(what, total=len(services))

        def one(service: str) -> list[Row]:
            first, *rows = programs.lines(self._layout, service, ["digest", *words])
            self._items[service] = frozenset(first["items"])
            self._progress.advance(task)
            return rows

        with ThreadPoolExecutor(len(SERVICES)) as pool:
            return dict(zip(services, pool.map(one, services), strict=True))

    def items(self, side: Side) -> frozenset[str] | None:
        """The items that a view is narrowed to; known once everybody was asked."""
        return self._items[side.followed_by] if side.followed_by else None
