"""What the open doors say: gRPC by reflection with its audit rows, and whether logs and metrics name anybody."""

from __future__ import annotations

import json
import re
import ssl
import urllib.request
from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.chaos.facts import Facts
from tests.chaos.heard import Finding
from tests.chaos.links import root, shown
from tests.chaos.reading import Doors, ask
from tests.chaos.stores import Stores, folded

ASKED = 20
MARK = re.compile(rb"[0-9A-Z]{15,18}")
INVENTED = "演示".encode()  # every synthetic name begins so: none may stand in a log
COUNT = "SELECT count(*) FROM audit"


def by_grpc(doors: Doors, facts: Facts) -> Iterator[Finding]:
    """I12 and what a caller sees: each answer agrees with the feed, and has left exactly one audit row.

    Of a subject that was merged it says what it says of who stands for it.
    """
    _, seqs = folded(facts, "government")
    stands = shown(facts, "government")
    call = _Call(doors.grpc["disclosure"], "credit.disclosure.v1", "Disclosure")
    inquiry = {"channel": 2, "caller": "verifier", "purpose": "chaos"}
    before = ask(doors, [("disclosure", COUNT)])[0][0][0]
    asked = list(islice(seqs, ASKED))
    for subject_id in asked:
        answer = call("ListRecords", inquiry=inquiry, subject_id=subject_id.hex(), page_size=500)
        whom = root(facts.merged, subject_id)
        right = {record_id.hex(): version for record_id, version in stands.get(whom, {}).items()}
        told = {record.record_id: record.version for record in answer.records}
        if (told, answer.subject_seq) != (right, seqs.get(whom, 0)) and not answer.next_page_token:
            yield Finding("I7", "gRPC shows other records than the feed", f"subject {subject_id.hex()}")
    rows = ask(doors, [("disclosure", COUNT)])[0][0][0] - before
    if rows != len(asked):
        yield Finding("I12", f"{len(asked)} answers, {rows} audit rows", "disclosure")


class _Call:
    """Calls of a service that is known by reflection alone."""

    def __init__(self, address: str, package: str, service: str) -> None:
        self._channel = grpc.insecure_channel(address)
        database: Any = cast(Any, ProtoReflectionDescriptorDatabase)(self._channel)
        self._service: Any = descriptor_pool.DescriptorPool(database).FindServiceByName(f"{package}.{service}")

    def __call__(self, method: str, **fields: Any) -> Any:
        found = self._service.FindMethodByName(method)
        question, answer = (message_factory.GetMessageClass(t) for t in (found.input_type, found.output_type))
        call = cast(Any, self._channel).unary_unary(
            f"/{self._service.full_name}/{method}", question.SerializeToString, answer.FromString
        )
        return call(question(**fields), timeout=20)


def national(doors: Doors, facts: Facts, stores: Stores) -> Iterator[Finding]:
    """I7: the national platform holds exactly what the exchange believes it holds."""
    held = {row["record_id"].hex() for row in stores["exchanges"] if row["held"]}
    there: set[str] = set()
    for item in (code for code, collected in facts.national.items() if collected):
        after = ""
        while True:
            page = _https(doors, f"/v1/records?item={item}&limit=1000&after={after}")
            there |= {record["record_id"] for record in page["records"] if not record["deleted"]}
            if not (after := page["next"]):
                break
    for record_id in held ^ there:
        side = "here" if record_id in held else "there"
        yield Finding("I7", f"held by one side of the national exchange only, {side}", f"record {record_id}")


def _https(doors: Doors, path: str) -> Any:
    trusted = ssl.create_default_context(cafile=str(doors.var / "national" / "ca.pem"))
    with urllib.request.urlopen(doors.national + path, context=trusted, timeout=20) as answer:
        return json.load(answer)


def silent(doors: Doors, facts: Facts, stores: Stores) -> Iterator[Finding]:
    """I9: no code that was submitted and no name in a log, a metric or the reason of a parked message."""
    for path in sorted((doors.var / "log").glob("*.log*")):
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if _names_somebody(line, facts.codes):
                    yield Finding("I9", "an identifier or a name in a log", f"{path.name}:{number}")
                    break
    for service, address in doors.http.items():
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as page:
            if _names_somebody(page.read(), facts.codes):
                yield Finding("I9", "an identifier or a name in a metric", service)
    for service, row in stores["parked"]:
        if _names_somebody(f"{row['code']} {row['detail']}".encode(), facts.codes):
            yield Finding("I9", "an identifier or a name in a parked message's reason", service)


def _names_somebody(text: bytes, codes: set[str]) -> bool:
    return INVENTED in text or any(found.decode() in codes for found in MARK.findall(text))
