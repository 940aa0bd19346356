"""Results before rates: a run whose results are not exactly right has no rate. A failed check ends everything."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import md5

from bench.arrivals import Change
from bench.rig import Connection
from bench.workload import AGENCIES, ITEM, Run, record_id

RECORDS = """
SELECT count(*), md5(coalesce(string_agg(agency || record_no || ':' || version || ':' || md5(submission), ''
    ORDER BY agency, record_no), '')) FROM records
WHERE agency = ANY($1) AND item = $2 AND record_no >= $3 AND record_no < $3 || '~'
"""
LINKS = """
SELECT count(*), md5(coalesce(string_agg(encode(record_id, 'hex') || ':' || version, '' ORDER BY record_id), ''))
FROM record_links WHERE record_id = ANY($1::bytea[])
"""
SHOWN = """
SELECT count(*), md5(coalesce(string_agg(encode(record_id, 'hex') || ':' || version, '' ORDER BY record_id), ''))
FROM disclosed_records WHERE submission_id >= $1 AND submission_id < $1 || '~'
"""
EXCHANGES = "SELECT state, count(*) FROM exchanges WHERE record_id = ANY($1::bytea[]) GROUP BY state"


class CheckFailed(SystemExit):
    """Ends the benchmark with exit code 1 and one line that names the check."""


def equal(name: str, found: object, expected: object) -> None:
    """Raises `CheckFailed`."""
    if found != expected:
        raise CheckFailed(f"CHECK FAILED {name}: {str(found)[:200]} is not {str(expected)[:200]}")


def receipts(run: Run, found: Mapping[str, Sequence[str]]) -> None:
    """Exactly one receipt for each submission, with the outcome that was meant."""
    doubled = [name for name, outcomes in found.items() if len(outcomes) != 1]
    equal("one receipt each", doubled[:3], [])
    expected = run.receipts()
    equal("receipts = submissions", len(found), len(expected))
    wrong = [name for name, outcome in expected.items() if found.get(name) != [outcome]]
    equal("outcomes as meant", [(name, found.get(name), expected[name]) for name in wrong[:3]], [])


def feed(run: Run, found: Sequence[Change]) -> None:
    """Every version of every record once; each subject's numbers from 1 without a gap, in order."""
    told = Counter((change.record_id, change.version) for change in found)
    equal("no change twice", [str(at) for at, n in told.items() if n > 1][:3], [])
    equal("changes = versions", told.keys() == versions(run), True)
    seen: dict[bytes, int] = defaultdict(int)
    for change in found:
        equal("subject_seq without gaps", change.seq, seen[change.subject_id] + 1)
        seen[change.subject_id] = change.seq


def versions(run: Run) -> set[tuple[bytes, int]]:
    """(record id, version) of all that was accepted."""
    return {(i, n) for i, version in ids(run).items() for n in range(1, version + 1)}


def ids(run: Run) -> dict[bytes, int]:
    """Record id -> its last version."""
    return {record_id(agency, number): version for (agency, number), (version, _) in run.standing().items()}


async def records(run: Run, ingestion: Connection) -> None:
    """Ingestion's rows: number, versions and the very bytes of the standing submissions."""
    rows = sorted((agency, number, *stands) for (agency, number), stands in run.standing().items())
    content = digest(f"{agency}{number}:{version}:{md5s(value)}" for agency, number, version, value in rows)
    found = await ingestion.fetchrow(RECORDS, list(AGENCIES), ITEM, run.mark)
    equal("ingestion rows and content", tuple(found or ()), (len(rows), content))


async def downstream(run: Run, identity: Connection, disclosure: Connection, national: Connection) -> None:
    """The rows of the others: the same records at the same versions."""
    expected = ids(run)
    content = digest(f"{i.hex()}:{version}" for i, version in sorted(expected.items()))
    wanted = (len(expected), content)
    equal("identity rows and content", tuple(await identity.fetchrow(LINKS, list(expected)) or ()), wanted)
    equal("disclosure rows and content", tuple(await disclosure.fetchrow(SHOWN, run.mark) or ()), wanted)
    exchanged = {row[0]: row[1] for row in await national.fetch(EXCHANGES, list(expected))}
    equal("national exchanges", exchanged, {"ACKNOWLEDGED": len(expected)})


def digest(lines: Iterable[str]) -> str:
    """The MD5 of all lines, as PostgreSQL computes it."""
    return md5s("".join(lines).encode())


def md5s(value: bytes) -> str:
    """Only to compare with PostgreSQL's function of this name."""
    return md5(value, usedforsecurity=False).hexdigest()
