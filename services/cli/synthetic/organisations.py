"""Invented organisations and the public bodies that decide about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from services.cli.synthetic import codes, words
from services.cli.synthetic.chance import source, weighted
from services.cli.synthetic.measured import PLACES
from services.kernel import uscc

KINDS = {"91": 92, "93": 3, "92": 5}  # more sole traders than were measured, or a small demonstration had none


@dataclass(frozen=True, slots=True)
class Organisation:
    """An invented organisation (or sole trader) with all the codes it has or had; all are valid."""

    name: str
    uscc: str
    org_code: str
    reg_no: str

    @property
    def kind(self) -> str:
        """As an envelope says it."""
        return "sole_trader" if self.uscc.startswith("92") else "org"

    @property
    def representative(self) -> str:
        """The invented legal representative."""
        return "演示人员" + words.SYLLABLES[int(self.reg_no) % len(words.SYLLABLES)]

    def code(self, kind: str) -> str:
        """Its code of this kind: uscc, org_code or reg_no."""
        return {"uscc": self.uscc, "org_code": self.org_code, "reg_no": self.reg_no}[kind]


class Body(NamedTuple):
    """A public body as a payload names it."""

    name: str
    code: str


# Who decides, by the agency that submits; named like it and marked as invented.
BODIES = {
    agency: Body(name, codes.body_uscc(agency[:6], source(0, agency)))
    for agency, name in {
        "420000-gsj": "演示工商行政管理局",
        "420000-hbt": "演示环境保护厅",
        "420000-fy": "演示高级人民法院",
        "420000-gsui": "演示国家税务局",
        "420100-xyb": "演示信用办公室",
    }.items()
}


def organisations(seed: int, count: int) -> list[Organisation]:
    """So many, with codes that no row of `registrations` has."""
    return _invented(seed, count, codes.KNOWN_OFFICE)


def strangers(seed: int, count: int) -> list[Organisation]:
    """Others, whose registration numbers no mapping brings."""
    return _invented(seed, count, codes.STRANGE_OFFICE)


def _invented(seed: int, count: int, office: str) -> list[Organisation]:
    chance, taken = source(seed, f"organisations {office}"), set[str]()
    found: list[Organisation] = []
    for number, sequence in enumerate(chance.sample(range(1, 10**8), count)):
        kind, place = weighted(chance, KINDS), weighted(chance, PLACES)
        trade, suffix = chance.choice(words.TRADES), chance.choice(words.SUFFIXES[kind])
        org_code = codes.new_org_code(codes.ORGANISATION, chance, taken)
        code = uscc.complete(kind + words.region(place, chance) + org_code)
        name = words.name(words.NUMBERS - 1 - number, place, trade, suffix)
        found.append(Organisation(name, code, org_code, codes.reg_no(office, sequence)))
    return found
