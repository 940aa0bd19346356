"""Erasures and rotations: decided once, answered the same for ever, with a certificate that anybody can check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.local.faults import StackFault
from services.chassis.message import Message, Moment
from services.cli import certificates
from services.identity.domain import erasure, rotation
from services.identity.domain.erasure import PersonErased, Standing
from services.identity.keys import handlers as commands
from services.identity.keys.certificate import Certifier, canonical, statement
from tests.support import driver
from tests.support.local_schemas import LocalSchemas

CODEC, CERTIFIER = LocalSchemas(), Certifier(bytes(range(32)))
ERASE, ROTATE = commands.handlers(CODEC, CERTIFIER)
SUBJECT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
OUTCOME, TOLD = "credit.identity.outcome.v1", "credit.identity.subject.v1"
REASON = "演示：本人申请"


def ask(handler: Any, command_id: str, now_ms: int = 5, **arguments: Any) -> commands.Asked:
    record = {"command_id": command_id, "type": "t", "issued_by": "operator", "issued_at": 1}
    value = CODEC.encode("credit.command.v1", {**record, "arguments": json.dumps(arguments)})
    asked: commands.Asked = handler.read(Message("c", 0, 0, b"k", value, (), 0), Moment(now_ms))
    return asked


def answers(handler: Any, *asked: commands.Asked, states: dict[Any, Any] | None = None) -> list[dict[str, Any]]:
    said = driver.run(handler.aggregate, asked, states)
    told = [
        m for one, events in zip(asked, said, strict=True) for e in events for m in handler.aggregate.announce(e, one)
    ]
    assert {message.topic for message in told} <= {OUTCOME, TOLD}
    return [CODEC.decode(message.value)[1] for message in told if message.topic == OUTCOME]


def test_a_person_is_erased_once_and_a_repeat_gets_the_first_certificate() -> None:
    asked = [
        ask(ERASE, name, at, subject_id=SUBJECT, reason=why) for name, at, why in (("c1", 5, REASON), ("c2", 9, "x"))
    ]
    first, second = answers(ERASE, *asked)
    assert (first["outcome"], second["outcome"]) == ("DONE", "DONE")
    assert first["detail"] == second["detail"]
    said = json.loads(first["detail"])["statement"]
    assert said["subject_id"] == SUBJECT
    assert (said["issued_by"], said["command_id"], said["reason"]) == ("operator", "c1", REASON)
    assert said["erased_at"] == "1970-01-01T00:00:00.005+00:00"


def told(*asked: commands.Asked, states: dict[Any, Any] | None = None) -> list[Message | Any]:
    said = driver.run(ERASE.aggregate, asked, states)
    whole = zip(asked, said, strict=True)
    return [m for one, events in whole for e in events for m in ERASE.aggregate.announce(e, one) if m.topic == TOLD]


def test_every_store_is_told_and_again_when_it_is_asked_again() -> None:
    """With the day of the first: who was erased before this was told is brought to the stores by asking again."""
    asked = [ask(ERASE, name, at, subject_id=SUBJECT, reason=REASON) for name, at in (("c1", 5), ("c2", 9))]
    first, second = told(*asked)
    assert (first.key, first) == (bytes.fromhex(SUBJECT), second)
    said = CODEC.decode(first.value)[1]
    assert round(said.pop("changed_at").timestamp() * 1000) == 5
    assert said == {
        "subject_id": bytes.fromhex(SUBJECT), "subject_version": 1, "change": "ERASED", "subject_kind": "person",
        "name": None, "codes": [], "merged_into": None,
    }  # fmt: skip


def test_of_a_refused_erasure_nothing_is_told() -> None:
    organisation = {bytes.fromhex(SUBJECT): Standing(organisation=True)}
    assert told(ask(ERASE, "c1", subject_id=SUBJECT, reason=REASON), states=organisation) == []
    assert told(ask(ERASE, "c1", subject_id=SUBJECT, reason="")) == []


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        ({"subject_id": "x", "reason": ""}, ["SUBJECT_ID_FORMAT", "REASON_MISSING"]),
        ({"subject_id": SUBJECT.upper(), "reason": REASON}, ["SUBJECT_ID_FORMAT"]),
        ({"reason": REASON}, ["SUBJECT_ID_FORMAT"]),
        ({"subject_id": SUBJECT, "reason": "of 420106190003070015"}, ["REASON_NAMES"]),
        ({"subject_id": SUBJECT, "reason": "x" * 501}, ["REASON_MISSING"]),
        ({"subject_id": SUBJECT, "reason": "a\0b"}, ["REASON_MISSING"]),
        ({"subject_id": SUBJECT, "reason": 7}, ["REASON_MISSING"]),
    ],
)
def test_a_wrong_erasure_destroys_nothing_and_says_all_that_is_wrong(
    arguments: dict[str, Any], codes: list[str]
) -> None:
    states: dict[Any, Any] = {}
    (answer,) = answers(ERASE, ask(ERASE, "c1", **arguments), states=states)
    assert (answer["outcome"], [fault["code"] for fault in answer["faults"]]) == ("REFUSED", codes)
    assert all(state.erased is None for state in states.values())


def test_an_organisation_is_not_erased() -> None:
    states = {bytes.fromhex(SUBJECT): Standing(organisation=True)}
    (answer,) = answers(ERASE, ask(ERASE, "c1", subject_id=SUBJECT, reason=REASON), states=states)
    assert [fault["code"] for fault in answer["faults"]] == ["NOT_A_PERSON"]


def test_a_kek_is_replaced_once_and_never_comes_back() -> None:
    asked = [ask(ROTATE, f"c{n}", kek_id=key * 16) for n, key in enumerate("1122", 1)]
    said = answers(ROTATE, *asked, ask(ROTATE, "c5", kek_id="1" * 16), ask(ROTATE, "c6", kek_id="K"))
    assert [answer["outcome"] for answer in said] == ["DONE"] * 4 + ["REFUSED"] * 2
    assert [fault["code"] for answer in said for fault in answer["faults"]] == ["KEK_USED_BEFORE", "KEK_ID_FORMAT"]


def test_the_states_follow_from_the_events() -> None:
    erased = PersonErased(b"s" * 16, "c", "o", "r", 1)
    assert erasure.evolve(erasure.NOBODY, erased).erased == erased
    assert erasure.evolve(Standing(erased), erasure.ErasureRefused(())).erased == erased
    assert rotation.evolve(("1",), rotation.KekReplaced("2", "c", 1)) == ("1", "2")


def certificate() -> dict[str, Any]:
    return CERTIFIER.certify(PersonErased(bytes.fromhex(SUBJECT), "c1", "operator", REASON, 1_795_478_400_000))


def test_a_certificate_is_checked_without_the_platform(tmp_path: Path) -> None:
    file = tmp_path / "certificate.json"
    file.write_text(json.dumps(certificate(), ensure_ascii=False), encoding="utf-8")
    certificates.check(certificates.read(file))
    assert certificate() == certificate()  # a replay says what was said


@pytest.mark.parametrize("name", ["statement", "digest", "public_key", "signature"])
def test_a_changed_certificate_is_refused(name: str) -> None:
    changed = certificate()
    if name == "statement":
        changed[name] = {**changed[name], "reason": "another"}
    else:
        changed[name] = "00" * (len(changed[name]) // 2)
    with pytest.raises(StackFault, match="was changed"):
        certificates.check(changed)


def test_a_changed_statement_with_its_own_digest_is_refused() -> None:
    import hashlib

    changed = certificate()
    changed["statement"]["reason"] = "another"
    changed["digest"] = hashlib.sha256(canonical(changed["statement"])).hexdigest()
    with pytest.raises(StackFault, match="signature"):
        certificates.check(changed)


def test_a_statement_names_nobody_but_by_the_subject_id() -> None:
    said = statement(PersonErased(bytes.fromhex(SUBJECT), "c1", "operator", REASON, 0))
    assert set(said) == {"kind", "subject_id", "erased_at", "issued_by", "command_id", "reason", "done"}
