"""The doors as functions of bytes: they end, or say in one line why not. Anything else that is raised is a bug."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from deploy.local.faults import StackFault
from services.chassis.errors import Unhandleable
from services.cli.intake import answers
from services.cli.intake.faults import RowFault
from services.cli.intake.header import understand
from services.cli.intake.rows import Maker
from services.cli.intake.spool import Spool
from services.cli.intake.tables import Table, look_through
from services.ingestion.api import envelope_of, payload_of, pb
from services.ingestion.contracts.payload import PayloadFault, framed
from services.ingestion.contracts.register import Register
from tests.unit.cli.intake_items import SENDER, item
from tests.unit.ingestion import samples

KINDS = (".csv", ".csv.gz", ".xlsx")
ITEMS = {code: item(code) for code in sorted(samples.OPEN)}
READER = samples.reader()
REGISTER = Register()
REGISTER.fill(samples.reference())


def file_door(folder: Path, data: bytes, kind: str, code: str) -> int:
    """A file of these bytes on its whole way, to what ingestion reads; how many rows were read there."""
    file = folder / f"rows{kind}"
    file.write_bytes(data)
    with suppress(StackFault):
        return _rows(look_through(file), code)
    return 0


def _rows(table: Table, code: str) -> int:
    spool, agency = Spool(), samples.AGENCIES[code]
    maker = Maker(ITEMS[code], understand(ITEMS[code], table.header), SENDER._replace(agency=agency))
    count = 0
    try:
        for number, cells in table.lines():
            try:
                made = maker.make(number, cells)
            except RowFault as fault:
                assert fault.faults
                spool.not_sent(number, fault.faults)
                continue
            READER.read(samples.sent(made.record), samples.NOW)
            spool.sent(number)
            count += 1
        answers.write(table, spool)
    finally:
        spool.close()
    return count


def grpc_door(data: bytes) -> None:
    """A request of these bytes, to what ingestion reads."""
    try:
        request = pb.SubmitRequest.FromString(data)
    except Exception as error:  # noqa: BLE001 - the library's own, before anything of ours
        assert type(error).__name__ == "DecodeError"
        return
    edition = REGISTER.newest(request.item) or REGISTER.newest("org-penalty")
    assert edition is not None
    with suppress(PayloadFault):
        value = framed(edition, envelope_of(request, "420000-hbt", samples.NOW.now_ms), payload_of(request))
        READER.read(samples.message(value, key=request.record_no.encode()), samples.NOW)


def grpc_payload(data: bytes) -> None:
    """A good request with these bytes as its payload (JSON, or the text of a field) and, cut short, in its envelope."""
    text = data.decode(errors="ignore")
    request = pb.SubmitRequest(
        submission_id="s-1", item="org-penalty", record_no=text[:9] or "r-1", subject_code=text[:18] or samples.USCC,
        subject_name=samples.NAME, decided_on="2017-09-28", action=text[:6], produced_at_ms=samples.NOW.now_ms,
    )  # fmt: skip
    if text[:1] == "{":
        request.payload_json = text
    else:
        request.payload["CF_NR_FK" if len(text) % 2 else "CF_JDRQ"] = text
    grpc_door(request.SerializeToString())


def topic_door(data: bytes) -> None:
    """A message of these bytes on a submit topic: never an exception."""
    with suppress(Unhandleable):
        READER.read(samples.message(data), samples.NOW)
        return
    raise AssertionError("a submission is always answered")
