"""Who may claim a lane: nobody may take it from the one that has claimed it and has it from the group still."""

from __future__ import annotations

from typing import Any

from aiokafka import TopicPartition

from tests.sim.broker import Broker
from tests.sim.checks import Watch
from tests.sim.store.engine import Database, Tx


class Owners:
    """Looks at every commit that takes a lane over or moves it; a run of a process is what owns."""

    def __init__(self, broker: Broker, watch: Watch) -> None:
        self._broker, self._watch = broker, watch
        self._owner: dict[tuple[object, ...], Any] = {}

    def committed(self, database: Database, tx: Tx) -> None:
        """A process that was frozen wakes and believes that its lanes are its own."""
        for key in sorted(tx.written["lanes"].keys() - tx.claimed):
            last = self._owner.get((database.name, *key))
            if last is not None and last is not tx.owner:
                self._watch.object(
                    f"I5 {tx.owner.name} moved lane {key} of {database.name}, which {last.name} has claimed"
                )
        for key in sorted(tx.claimed):
            last, self._owner[database.name, *key] = self._owner.get((database.name, *key)), tx.owner
            if last is not None and last is not tx.owner and self._has(last, database, TopicPartition(*key)):
                self._watch.object(
                    f"I5 {tx.owner.name} took lane {key} of {database.name} from {last.name}, who has it from the group"
                )

    def _has(self, run: Any, database: Database, place: TopicPartition) -> bool:
        group = self._broker.groups[database.name.replace("_", "-")]
        return run.state != "dead" and group.holder(place) is run.process.consumer
