"""Who holds an office in an organisation: from agencies' register entries to the operator's question."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from tests.support.road import DAY, Organisation, Record, Road, again, messages, organisation, submission
from tests.support.stack import eventually

pytestmark = pytest.mark.usefixtures("well_behaved")

REGISTRY_OFFICE, ITEM = "420000-bzb", "public-institution-registration"
NAME = "演示植入之任职人"  # all names begin like that, so that a search for it finds any of them


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


def test_merged_organisations_are_asked_as_one(road: Road) -> None:
    one, other = organisation(), organisation()
    old, young = entry(one, NAME + "四", 1_506_600_001_000), entry(other, NAME + "四", 1_506_600_002_000)
    ids = road.accepted(old, young)
    arrives(road, one, [(ids[0], 1, "")])
    arrives(road, other, [(ids[1], 1, "")])
    digests = road.stack.sql(
        "identity", "SELECT name_digest FROM relations WHERE record_id = ANY($1)", [bytes.fromhex(r) for r in ids]
    )
    assert len({row[0] for row in digests}) == 2, "one name in two organisations cannot be joined"
    road.stack.credit("merge", one.uscc, other.uscc, "--reason", "演示合并", "--by", "演示员")
    for org in (one, other):
        assert lines(road, org) == [(ids[1], 1, ""), (ids[0], 1, "SUCCEEDED")]
    road.stack.credit("unmerge", one.uscc, other.uscc, "--reason", "演示拆分", "--by", "演示员")
    assert lines(road, one) == [(ids[0], 1, "")]


def test_an_entry_by_an_old_code_counts_from_its_link_on_and_goes_with_it(road: Road) -> None:
    org = organisation()
    waiting = entry(org, NAME + "五", 1_506_600_001_000)
    waiting |= {"subject_code_kind": "reg_no", "subject_code": org.reg_no}
    waiting["payload"] = waiting["payload"] | {"gsdjzch": org.reg_no, "tyshxydm": None}
    (record_id,) = road.accepted(waiting)
    mapping = submission("code-mapping", org)
    road.accepted(mapping)
    arrives(road, org, [(record_id, 1, "")])
    road.accepted(again(mapping, "withdraw"))
    arrives(road, org, [(record_id, 1, "UNLINKED")])


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
