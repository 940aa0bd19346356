"""Made-up organisations and records for identity's tests (codes: domain.md §3.9)."""

from __future__ import annotations

from services.identity.domain import codes
from services.identity.domain.cluster import EMPTY, Cluster, evolve
from services.identity.domain.events import Event, RelationBegan, RelationEnded
from services.identity.domain.linking import decide
from services.identity.domain.records import Claim, RecordSeen
from services.identity.domain.relations import Holder, Kept

PEPPER = b"pepper of the tests, 16 and more"
JIA, YI, SOLE = "91420100MA4KLM0N5H", "93420111MA4XYK1279", "92420106MA4ABCD17H"
REG_NO, OTHER_REG_NO = "420100000000014", "420000000012349"
PERMIT, REGISTRATION, MAPPING = "org-permit", "enterprise-registration", "code-mapping"
INSTITUTION, PROFESSIONAL = "public-institution-registration", "professional-enterprise-head"


def refer(kind: str, code: str) -> codes.Reference:
    return codes.refer(PEPPER, kind, code)


def subject_id(uscc: str) -> bytes:
    return refer("uscc", uscc).id


def record(
    code: str = JIA,
    kind: str = "uscc",
    *,
    number: int = 1,
    version: int = 1,
    action: str = "report",
    item: str = PERMIT,
    name: str = "演示甲有限公司",
    subject_kind: str = "org",
    produced_at: int = 10,
    claims: tuple[Claim, ...] = (),
) -> RecordSeen:
    """One version of record `number`."""
    record_id = b"record" + number.to_bytes(10)
    named = refer(kind, code)
    accepted_at = 1000 * version + number
    return RecordSeen(
        record_id,
        version,
        item,
        action,
        "420000-gsj",
        subject_kind,
        named,
        name,
        accepted_at,
        produced_at,
        record_id + bytes([version]),
        7,
        claims,
    )


def sealed(two_digits: str, **more: object) -> RecordSeen:
    """A record about a person, as ingestion seals it; the subject id is these digits sixteen times."""
    found = record(subject_kind="person", **more)  # type: ignore[arg-type] # passed on as they come
    return found._replace(named=codes.refer_to_sealed(two_digits * 16))


def registration(uscc: str = JIA, **more: object) -> RecordSeen:
    """A registration, which brings the organisation code inside its USCC."""
    subject = refer("uscc", uscc)
    claims = (Claim(subject, codes.organisation_code_in(PEPPER, subject), binding=False),)
    return record(uscc, item=REGISTRATION, claims=claims, **more)  # type: ignore[arg-type] # passed on as they come


def mapping(uscc: str = JIA, old_kind: str = "reg_no", old: str = REG_NO, **more: object) -> RecordSeen:
    """A mapping of an old code to a USCC."""
    claims = (Claim(refer("uscc", uscc), refer(old_kind, old), binding=True),)
    return record(uscc, item=MAPPING, claims=claims, **more)  # type: ignore[arg-type] # passed on as they come


def entry(holder: str | None = "演示某", code: str = JIA, kind: str = "uscc", **more: object) -> RecordSeen:
    """An entry of the register of institutions that names this holder of the office; None: nobody."""
    found = record(code, kind, item=INSTITUTION, **more)  # type: ignore[arg-type] # passed on as they come
    if holder is None:
        return found
    return found._replace(holder=Holder("LEGAL_REPRESENTATIVE", codes.keyed_id(PEPPER, "name", holder)))


def kept(said: list[Event]) -> list[Kept]:
    """The relations that these events leave, as the store has them."""
    found: dict[tuple[bytes, int], Kept] = {}
    for event in said:
        if isinstance(event, RelationBegan):
            found[event.record_id, event.relation.version] = Kept(event.record_id, event.relation)
        elif isinstance(event, RelationEnded):
            old = found[event.record_id, event.version]
            gone = {} if event.ended_as == "CORRECTED" else {"name_digest": None, "person_id": None}
            relation = old.relation._replace(**gone)
            found[event.record_id, event.version] = Kept(event.record_id, relation, *event[2:])
    return list(found.values())


def tell(*given: RecordSeen, cluster: Cluster = EMPTY) -> tuple[Cluster, list[Event]]:
    """Decide one after the other."""
    said: list[Event] = []
    for one in given:
        for event in decide(cluster, one):
            cluster = evolve(cluster, event)
            said.append(event)
    return cluster, said
