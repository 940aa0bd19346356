"""About 1,500 submissions for 300 organisations, in an order that respects what they say of each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from services.cli.synthetic.basics import commitments, mappings, permits, registrations_of
from services.cli.synthetic.chance import share, source
from services.cli.synthetic.changes import corrections, repeats, reused, revived, withdrawals
from services.cli.synthetic.draft import Draft
from services.cli.synthetic.faulty import faulty
from services.cli.synthetic.judgements import black_list, defaulters, penalties, red_list
from services.cli.synthetic.organisations import Organisation, organisations, strangers

__all__ = [
    "Draft",
    "Organisation",
    "black_list",
    "commitments",
    "corrections",
    "defaulters",
    "drafts",
    "faulty",
    "mappings",
    "organisations",
    "penalties",
    "permits",
    "red_list",
    "registrations_of",
    "repeats",
    "reused",
    "revived",
    "strangers",
    "unlinkable",
    "withdrawals",
]

SHARES: tuple[tuple[Callable[[Random, Sequence[Organisation]], list[Draft]], float], ...] = (
    (permits, 0.65),
    (penalties, 0.5),
    (red_list, 0.35),
    (black_list, 0.15),
    (commitments, 0.45),
    (defaulters, 0.2),
)
MAPPED_EARLY, MAPPED_LATE = 3, 15  # every third organisation; every fifteenth, one place further
CORRECTED, WITHDRAWN, REPEATED, REUSED = 0.06, 0.05, 0.05, 0.01  # of the records of each item, at least one


def unlinkable(chance: Random, others: Sequence[Organisation]) -> list[Draft]:
    """Valid penalties of `strangers`, by registration numbers that no mapping brings: identity cannot link them."""
    return [replace(each, record_no=f"WZ-{each.record_no}") for each in penalties(chance, others, "reg_no")]


def drafts(seed: int, organisations: Sequence[Organisation]) -> list[Draft]:
    """All of them, in four parts; the order within a part is mixed and does not matter."""
    chance = source(seed, "drafts")
    early, late = organisations[::MAPPED_EARLY], organisations[1::MAPPED_LATE]
    reported = [draft for make, part in SHARES for draft in make(chance, share(chance, organisations, part))]
    known = [*registrations_of(chance, organisations), *_mapped(chance, early)]
    by_old_code = _by_old_code(chance, organisations, early, late)
    nobodys = unlinkable(chance, strangers(seed, 1 + len(organisations) // 25))
    wrong = faulty(chance, share(chance, [each for each in organisations if each.kind == "org"], 0.01))
    third, last = _changes(chance, [*reported, *known[: len(organisations)]])
    parts = (known, [*reported, *by_old_code, *nobodys, *wrong], [*third, *mappings(chance, late)], last)
    return [draft for part in parts for draft in chance.sample(part, len(part))]


def _mapped(chance: Random, early: Sequence[Organisation]) -> list[Draft]:
    """The registration number of each; of some the organisation code and the tax number too."""
    rest = (("org_code", early[::4]), ("tax_no", early[1::4]))
    return [*mappings(chance, early), *(each for kind, some in rest for each in mappings(chance, some, kind))]


def _by_old_code(
    chance: Random, all_of_them: Sequence[Organisation], early: Sequence[Organisation], late: Sequence[Organisation]
) -> list[Draft]:
    """Decisions that name their subject by an old code; the mapping of `late` ones is published after them."""
    return [
        *penalties(chance, [*share(chance, early, 0.3), *late], "reg_no"),
        *permits(chance, share(chance, early, 0.2), "reg_no"),
        *penalties(chance, share(chance, all_of_them, 0.06), "org_code"),
        *permits(chance, share(chance, all_of_them, 0.05), "org_code"),
    ]


def _changes(chance: Random, reported: Sequence[Draft]) -> tuple[list[Draft], list[Draft]]:
    """What follows the reports, and what follows that; a record is corrected, withdrawn, repeated or misused."""
    then: list[Draft] = []
    last: list[Draft] = []
    for item in dict.fromkeys(each.item for each in reported):
        pool = [each for each in reported if each.item == item]
        corrected, withdrawn, repeated, misused = _apart(chance, pool)
        again = corrections(corrected)
        then += [*again, *withdrawals(withdrawn), *repeats(repeated), *reused(misused)]
        last += [*withdrawals(again[::4]), *repeats(again[1::4]), *revived(withdrawn[::5])]
    return then, last


def _apart(chance: Random, pool: Sequence[Draft]) -> list[list[Draft]]:
    """Disjoint parts of the records of an item."""
    mixed, parts = chance.sample(pool, len(pool)), list[list[Draft]]()
    for part in (CORRECTED, WITHDRAWN, REPEATED, REUSED):
        number = max(1, round(part * len(pool)))
        parts.append(mixed[:number])
        del mixed[:number]
    return parts
