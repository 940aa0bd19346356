"""What an outsider does when a broker that has just begun knows another leader than its client does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from deploy.local.faults import StackFault
from services.cli import outsider
from services.cli.outsider import Reader


class Admin:
    """Answers with one error after the other, then with an offset."""

    def __init__(self, *codes: int) -> None:
        self.codes = [*codes]

    def list_offsets(self, asked: dict[Any, Any]) -> dict[Any, Any]:
        def result(timeout: float) -> Any:
            if self.codes:
                raise KafkaException(KafkaError(self.codes.pop(0)))
            return SimpleNamespace(offset=7)

        return {place: SimpleNamespace(result=result) for place in asked}


def reader(admin: Admin) -> Any:
    """Of one topic with one partition."""
    made: Any = Reader.__new__(Reader)
    made._admin, made._partitions = admin, {"t": 1}
    return made


@pytest.mark.parametrize("code", outsider.STALE)
def test_a_leader_that_has_just_changed_is_asked_again(code: int) -> None:
    assert reader(Admin(code, code)).ends(["t"]) == {("t", 0): 7}


def test_any_other_error_is_told_at_once() -> None:
    admin = Admin(KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(StackFault, match="credit status"):
        reader(admin).ends(["t"])
    assert len(admin.codes) == 1


def test_it_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outsider, "WAIT_S", -1.0)
    with pytest.raises(StackFault):
        reader(Admin(*outsider.STALE * 5)).ends(["t"])


def test_a_broker_that_is_away_is_told_with_a_remedy() -> None:
    def list_topics(timeout: float) -> Any:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))

    made = reader(Admin())
    made._consumer = SimpleNamespace(list_topics=list_topics)
    for ask in (made.topics, lambda topic: made.ends([topic])):
        with pytest.raises(StackFault, match=r"does not answer .*credit status"):
            ask("u")
