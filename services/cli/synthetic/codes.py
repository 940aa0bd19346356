"""Invented codes with right check digits.

None is a real subject's. Organisation codes begin with T, U or R, and none of the 84,922 measured registrations has one
that does. Registration numbers name the office 429999 or 429998, which do not exist.
"""

from __future__ import annotations

from random import Random

from services.kernel import organisation_code, registration_number, resident_id, uscc

ORGANISATION, REGISTERED, BODY = "T", "U", "R"  # the first character of an organisation code, by who has it
KNOWN_OFFICE, STRANGE_OFFICE = "429999", "429998"
NOBODYS_AREA, NOBODYS_BIRTH = "429999", "18500101"  # no such county, and nobody alive was born then
ALPHABET = uscc.ALPHABET


def org_code(first: str, chance: Random) -> str:
    """An organisation code that begins with `first`."""
    body = first + "".join(chance.choices(ALPHABET, k=7))
    return body + organisation_code.check_character(body)


def new_org_code(first: str, chance: Random, taken: set[str]) -> str:
    """An organisation code that is not in `taken`, to which it is added."""
    while (code := org_code(first, chance)) in taken:
        continue
    taken.add(code)
    return code


def reg_no(office: str, number: int) -> str:
    """The registration number of an office with this sequence number."""
    body = f"{office}{number:08d}"
    return body + registration_number.check_digit(body)


def body_uscc(region: str, chance: Random) -> str:
    """The code of a government body: 11 is 机构编制, 机关."""
    return uscc.complete(f"11{region}{org_code(BODY, chance)}")


def other_character(character: str, alphabet: str, chance: Random) -> str:
    """Any character of the alphabet but this one."""
    return chance.choice(alphabet.replace(character, ""))


def wrong_check(code: str, chance: Random) -> str:
    """The same code with a wrong check digit."""
    return code[:-1] + other_character(code[-1], ALPHABET, chance)


def wrong_inner(code: str, chance: Random) -> str:
    """A code that is valid although the check digit of the organisation code inside is wrong."""
    return uscc.complete(code[:16] + other_character(code[16], "0123456789X", chance))


def nobodys_id(number: int) -> str:
    """What looks like a resident identity number to every check, and can be nobody's."""
    body = f"{NOBODYS_AREA}{NOBODYS_BIRTH}{number:03d}"
    return body + resident_id.check_character(body)
