"""Links that change: subjects merged and taken apart, a mapping withdrawn; told downstream and accounted for."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest

from tests.support.road import Organisation, Record, Road, again, messages, organisation, submission
from tests.support.stack import eventually

pytestmark = pytest.mark.usefixtures("well_behaved")


def told(road: Road, *words: str) -> Any:
    """The JSON object a command prints."""
    done = road.stack.credit(*words, "--json", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def by_reg_no(item: str, org: Organisation) -> Record:
    """A report that knows its subject by an old registration number only."""
    prefix = {"org-penalty": "CF", "org-permit": "XK"}.get(item)
    codes = {f"{prefix}_XDR_SHXYM": None, f"{prefix}_XDR_GSZC": org.reg_no} if prefix else {}
    return submission(item, org, codes, subject_code_kind="reg_no", subject_code=org.reg_no)


def exchange(road: Road, record_id: str) -> Any:
    """A record's exchange once it is final; None before."""
    asked = messages("national_sync").GetExchangeRequest(record_id=record_id)
    try:
        found = road.ask("national_sync", "GetExchange", asked)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise
    return found if found.state in ("ACKNOWLEDGED", "REFUSED") else None


def pushed(road: Road, record_id: str, action: str) -> Any:
    """The exchange, once the platform has acknowledged a push of this kind."""

    def found() -> Any:
        one = exchange(road, record_id)
        return one if one is not None and one.action == action else None

    return eventually(found, f"{record_id} acknowledged as {action}", 90)


def national(road: Road, record_id: str) -> bool:
    """Whether the platform itself says that it holds the record."""
    after = f"{int(record_id, 16) - 1:032x}"
    page = road.national(f"/v1/records?item=org-penalty&limit=1&after={after}")["records"]
    return any(record["record_id"] == record_id and not record["deleted"] for record in page)


def test_the_nation_is_told_of_what_is_nobodys_and_of_what_is_linked_again(road: Road) -> None:
    org = organisation()
    mapping = submission("code-mapping", org)
    road.accepted(mapping)
    (record_id,) = road.accepted(by_reg_no("org-penalty", org))
    first = pushed(road, record_id, "put")
    assert (first.version, first.link_no, first.held) == (1, 0, True)
    road.accepted(again(mapping, "withdraw"))
    lost = pushed(road, record_id, "delete")
    assert (lost.version, lost.nobodys, lost.held) == (1, True, False)
    assert not national(road, record_id)
    road.accepted(submission("code-mapping", org))
    found = pushed(road, record_id, "put")
    assert (found.version, found.nobodys, found.held) == (1, False, True)
    assert found.link_no > lost.link_no > 0
    assert national(road, record_id)
    numbers = [answer.version for answer in found.answers]
    assert numbers == sorted(set(numbers)) and len(numbers) == 3
    assert told(road, "replay", "national_sync")["equal"] is True


def test_what_is_merged_taken_apart_and_made_nobodys_is_accounted_for(road: Road) -> None:
    one, other, third = organisation(), organisation(), organisation()
    mappings = [submission("code-mapping", org) for org in (third, other)]
    road.accepted(*mappings, *(submission("enterprise-registration", org) for org in (one, other)))
    penalty, listing = submission("org-penalty", other), submission("court-defaulter", other)
    moved, listed, *_ = road.accepted(penalty, listing, submission("org-permit", one), by_reg_no("org-permit", other))
    road.changes("public", moved, 1)
    numbers = (moved, listed)
    assert told(road, "merge", one.uscc, other.uscc, "--reason", "演示")["records"] >= len(numbers)
    road.changes("public", moved, 3)  # added, withdrawn, added to the other
    road.accepted(again(penalty, "correct", CF_NR="罚款三千元"))  # while the other stands for it
    told(road, "unmerge", one.uscc, other.uscc, "--reason", "演示")
    road.changes("public", moved, 6)
    lost, found = road.accepted(by_reg_no("org-penalty", third), by_reg_no("court-defaulter", third))
    road.changes("public", found, 1)
    road.accepted(again(mappings[0], "withdraw"))
    road.changes("public", lost, 2)
    settled = told(road, "verify", "--allow-parked")
    assert (settled["accounted"], settled["findings"]) == (True, [])
    road.accepted(submission("code-mapping", third), again(mappings[1], "withdraw"))
    road.changes("public", found, 3)
    assert pushed(road, lost, "put").held
    words = road.stack.credit("verify", "--allow-parked", check=False)
    assert words.returncode == 0, words.stdout
    assert words.stdout.splitlines()[-1].startswith("ALL RECORDS ACCOUNTED n=")
    assert told(road, "reconcile", "--settle", "10")["equal"] is True
