"""`python -m tests.fuzz DOOR [libFuzzer's options]`: coverage-guided, for as long as it is told; `make fuzz` runs all.

What is found lies in var/fuzz/DOOR and is tried again by `python -m tests.fuzz DOOR FILE`.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["services", "tests.fuzz"]):
    from tests.fuzz import doors

from tests.unit.cli.intake_items import REGISTRATION, VINTAGES
from tests.unit.ingestion import samples

FOLDER = Path(__file__).parents[2] / "var" / "fuzz"
CODES = tuple(doors.ITEMS)


def file_door(data: bytes) -> None:
    """The first byte chooses item and kind of file."""
    if not data:
        return
    kind, code = divmod(data[0], len(CODES))
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        doors.file_door(Path(folder), data[1:], doors.KINDS[kind % len(doors.KINDS)], CODES[code])


DOORS = {"file": file_door, "grpc": doors.grpc_door, "payload": doors.grpc_payload, "topic": doors.topic_door}


def seeds() -> dict[str, list[bytes]]:
    """Good inputs to begin with: a file of each vintage, a request, a message of each item."""
    files: list[bytes] = []
    for code, row in [*((code, row) for (code, _), row in VINTAGES.items()), ("enterprise-registration", REGISTRATION)]:
        text = io.StringIO()
        csv.writer(text).writerows([row.keys(), row.values()])
        files += [bytes([CODES.index(code)]) + text.getvalue().encode(enc) for enc in ("utf-8", "gb18030")]
    request = doors.pb.SubmitRequest(
        submission_id="s-1", item="org-penalty", record_no="r-1", subject_code=samples.USCC, decided_on="2017-09-28",
        payload_json='{"CF_WSH": "x", "CF_NR_FK": 0.2, "CF_JDRQ": "2017-09-28"}',
    )  # fmt: skip
    messages = [samples.framed(samples.record(code)) for code in CODES]
    payload = json.dumps(samples.payload("org-penalty"), default=str).encode()
    return {"file": files, "grpc": [request.SerializeToString()], "payload": [payload, b"0.2"], "topic": messages}


def main() -> None:
    """Run one door."""
    name, options = sys.argv[1], sys.argv[2:]
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()[name]):
        (corpus / f"seed{number}").write_bytes(seed)
    where = [str(corpus)] if all(option.startswith("-") for option in options) else []
    atheris.Setup([sys.argv[0], f"-artifact_prefix={FOLDER}/{name}-", "-timeout=20", *options, *where], DOORS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
