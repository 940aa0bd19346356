"""Who holds an office in an organisation: from agencies' register entries to the operator's question."""

from __future__ import annotations

import json
import secrets
import urllib.request
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from services.identity.domain.codes import refer
from tests.support.road import DAY, Organisation, Record, Road, again, messages, organisation, submission
from tests.support.stack import eventually

pytestmark = pytest.mark.usefixtures("well_behaved")

REGISTRY_OFFICE, ITEM = "420000-bzb", "public-institution-registration"
NAME = "演示植入之任职人"  # all names begin like that, so that a search for it finds any of them
SUBJECT = "INSERT INTO subjects (subject_id, version, merged_into) VALUES ($1, 1, $2)"
RELATION = """
INSERT INTO relations (record_id, version, organisation, role, name_digest, person_id, said_at, item, agency)
VALUES ($1, 1, $2, $3, $4, $5, $6, 'planted', 'planted')
"""


def entry(org: Organisation, name: str, produced_at: int) -> Record:
    """An entry of the register of public institutions."""
    first = submission("org-permit", org, agency=REGISTRY_OFFICE, produced_at=produced_at)
    named = {"fdmchxm": org.name, "tyshxydm": org.uscc, "djjg": "演示机关", "djrq": DAY, "zt": "存续", "fddbr": name}
    return first | {"item": ITEM, "payload": named}


def told(road: Road, org: Organisation) -> list[Record]:
    """What the command line tells of an organisation's offices, the youngest first."""
    found: dict[str, Any] = json.loads(road.stack.credit("relations", org.uscc, "--json").stdout)
    return found["relations"]


def lines(road: Road, org: Organisation) -> list[tuple[str, int, str]]:
    """The same as record, version and how it ended."""
    done = road.stack.credit("relations", org.uscc, "--json", check=False)
    if done.returncode:
        return []
    return [(one["record_id"], one["version"], one["ended_as"]) for one in json.loads(done.stdout)["relations"]]


def arrives(road: Road, org: Organisation, wanted: list[tuple[str, int, str]]) -> None:
    try:
        eventually(lambda: lines(road, org) == wanted, f"the offices are {wanted}")
    except AssertionError:
        assert lines(road, org) == wanted
        raise


def test_the_youngest_entry_counts_until_it_is_withdrawn(road: Road) -> None:
    org = organisation()
    young, old = entry(org, NAME + "二", 1_506_600_002_000), entry(org, NAME + "一", 1_506_600_001_000)
    second, first = road.accepted(young, old)
    arrives(road, org, [(second, 1, ""), (first, 1, "SUCCEEDED")])
    stands, succeeded = told(road, org)
    assert (stands["stands"], stands["role"], stands["person"]) == (True, "LEGAL_REPRESENTATIVE", "")
    assert (stands["item"], stands["agency"], stands["since_ms"]) == (ITEM, REGISTRY_OFFICE, young["produced_at"])
    assert (succeeded["ended_by"], succeeded["ended_at_ms"]) == (second, young["produced_at"])

    corrected = again(old, "correct", fddbr=NAME + "三")
    corrected["produced_at"] = old["produced_at"] + 1
    road.accepted(corrected)
    arrives(road, org, [(second, 1, ""), (first, 2, "SUCCEEDED"), (first, 1, "CORRECTED")])
    road.accepted(again(young, "withdraw"))
    arrives(road, org, [(second, 1, "WITHDRAWN"), (first, 2, ""), (first, 1, "CORRECTED")])
    words = road.stack.credit("relations", org.uscc).stdout
    assert "1 standing, 2 ended" in words
    assert "withdrawn" in words


class Planted(NamedTuple):
    """Two organisations put straight into identity's store, the second one merged into the first."""

    one: Organisation
    other: Organisation


@pytest.fixture
def planted(road: Road) -> Iterator[Planted]:
    """With an entry each, and three persons who are responsible in the second, of whom one was erased."""
    both = Planted(organisation(), organisation())
    ids = [secrets.token_bytes(16) for _ in both]
    persons = [bytes([n]) * 16 for n in (0xE1, 0xE2, 0xE3)]
    pepper = bytes.fromhex((road.layout.secrets / "identity.pepper").read_text())
    subjects = [refer(pepper, "uscc", org.uscc).id for org in both]
    into = None
    try:
        for subject_id in subjects:
            road.stack.sql("identity", SUBJECT, subject_id, into)
            into = subject_id
        for record_id, subject_id, at in zip(ids, subjects, (1, 2), strict=True):
            road.stack.sql("identity", RELATION, record_id, subject_id, "HEAD", b"d" * 16, None, at)
        for person in persons:
            road.stack.sql("identity", RELATION, person, subjects[1], "RESPONSIBLE_PERSON", None, person, 3)
        road.stack.sql("identity", "INSERT INTO erasures VALUES ($1, 'planted', 'operator', '演示', 1)", persons[0])
        yield both
    finally:
        road.stack.sql("identity", "DELETE FROM relations WHERE record_id = ANY($1)", [*ids, *persons])
        road.stack.sql("identity", "DELETE FROM subjects WHERE subject_id = ANY($1)", subjects)
        road.stack.sql("identity", "DELETE FROM erasures WHERE command_id = 'planted'")


def test_merged_organisations_are_asked_as_one_and_an_erased_person_is_not_told(road: Road, planted: Planted) -> None:
    for org in planted:
        found = [(one["role"], one["stands"], one["person"][:2]) for one in told(road, org)]
        persons = [("RESPONSIBLE_PERSON", True, "e3"), ("RESPONSIBLE_PERSON", True, "e2")]
        assert found == [*persons, ("HEAD", True, ""), ("HEAD", False, "")]
    assert len({one["organisation"] for one in told(road, planted.one)}) == 2


def test_no_name_is_kept_shown_or_searchable(road: Road) -> None:
    org = organisation()
    (record_id,) = road.accepted(entry(org, NAME + "六", 1_506_600_001_000))
    arrives(road, org, [(record_id, 1, "")])
    rows = road.stack.sql("identity", "SELECT relations::text AS text FROM relations")
    assert rows
    assert not any(NAME in row["text"] or NAME.encode().hex() in row["text"] for row in rows)
    answer = road.stack.credit("relations", org.uscc, "--json").stdout + road.stack.credit("relations", org.uscc).stdout
    assert NAME not in answer
    with urllib.request.urlopen(f"http://{road.layout.address('identity.http')}/metrics", timeout=10) as metrics:
        text = metrics.read().decode()
    assert "credit_identity_relations_total" in text
    assert NAME not in text
    for log in road.layout.logs.glob("identity*"):
        assert NAME not in log.read_text(errors="replace")
    changes = road.changes("public", record_id, 1) + road.changes("government", record_id, 1)
    assert NAME not in json.dumps(changes, ensure_ascii=False, default=str)
    assert not any("fddbr" in json.dumps(change, default=str) for change in changes)
    request = messages("identity").ListRelationsRequest
    assert {field.name for field in request.DESCRIPTOR.fields} == {"code_kind", "code"}, "no question has a person"


def test_what_is_no_organisation_is_refused(road: Road) -> None:
    for code, why in ((organisation().uscc, "SUBJECT_UNKNOWN"), ("420106190003070015", "CODE_MALFORMED")):
        done = road.stack.credit("relations", code, "--json", check=False)
        assert done.returncode == 1
        assert why in done.stderr
        assert code not in done.stderr


def test_a_replay_finds_the_same_offices(road: Road) -> None:
    org = organisation()
    first = entry(org, NAME + "七", 1_506_600_001_000)
    (record_id,) = road.accepted(first)
    road.accepted(again(first, "correct", fddbr=NAME + "八"))
    arrives(road, org, [(record_id, 2, ""), (record_id, 1, "CORRECTED")])
    done = json.loads(road.stack.credit("replay", "identity", "--json").stdout)
    assert done["equal"] is True
    (table,) = [row for row in done["tables"] if row["table"] == "relations"]
    assert table["live"] == table["replayed"]
    assert int(table["live"].partition(":")[0]) >= 2
