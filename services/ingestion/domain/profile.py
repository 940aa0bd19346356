"""What is known of an agency beside its name and items: kind, parent, since when records are expected, who answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from services.ingestion.domain.faults import Fault, fault
from services.ingestion.domain.tiers import TIERS, is_above, tier_of
from services.kernel import regions

CODE = re.compile(r"\d{6}-[a-z][a-z0-9-]{0,30}", re.ASCII)
KINDS = ("department", "court", "vertical", "credit_authority", "mass_organisation")
ROLES = ("chief", "business", "technical")  # 总负责人、业务负责人、技术支撑负责人: item 33 of 鄂信用文〔2017〕1号
# An office or a post ends in one of these; who answers is found there, whoever that is today.
OFFICES = (*"处室科部办局股组厅院所岗队站委庭行关", "中心")
NUMBERS = re.compile(r"[0-9０-９@＠]{5}|[@＠]")
LONGEST = 60


class Profile(NamedTuple):
    """As it stands; an empty text and None are unknown. `roles`: three offices in the order of ROLES, or nothing.

    Roles are kept in ingestion's own store and stated on no topic: others need not know who answers for an agency, and
    what an operator types there may turn out to be a person's name in spite of `is_office`.
    """

    kind: str = ""
    parent: str = ""
    expected_since: date | None = None
    roles: tuple[str, ...] = ()


class Wish(NamedTuple):
    """What a command says of it; None: nothing is said, so what stands is kept."""

    kind: str | None = None
    parent: str | None = None
    expected_since: date | None = None
    roles: tuple[str, ...] | None = None

    def after(self, standing: Profile) -> Profile:
        """The profile once the command has been followed."""
        return standing._replace(**{name: said for name, said in self._asdict().items() if said is not None})


UNKNOWN, UNSAID = Profile(), Wish()


def read_wish(code: str, arguments: Mapping[str, Any]) -> tuple[Wish, list[Fault]]:
    """Take the arguments apart; whatever is wrong with them becomes a fault. `code` is a right one, or empty."""
    faults: list[Fault] = []
    region = code[:6]
    _one(arguments, "tier", f"{tier_of(region)}: the region's own", lambda it: it == tier_of(region), faults)
    wish = Wish(
        _one(arguments, "kind", ", ".join(KINDS), lambda it: it in KINDS, faults),
        _one(arguments, "parent", "an agency's code, or empty", _is_code_or_empty, faults),
        _since(region, arguments.get("expected_since"), faults),
        _roles(arguments.get("roles"), faults),
    )
    if code and wish.parent and not is_above(wish.parent[:6], region):
        faults.append(fault("PARENT_TIER", "parent", tiers=", ".join(TIERS)))
    return wish, faults


def _one(
    arguments: Mapping[str, Any], name: str, rule: str, right: Callable[[str], bool], faults: list[Fault]
) -> str | None:
    value = arguments.get(name)
    if value is None or (isinstance(value, str) and right(value)):
        return value
    faults.append(fault("COMMAND_ARGUMENTS", name, rule=f"{name}: {rule}"))
    return None


def _is_code_or_empty(text: str) -> bool:
    return not text or CODE.fullmatch(text) is not None


def _since(region: str, value: Any, faults: list[Fault]) -> date | None:
    if value is None:
        return None
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        faults.append(fault("COMMAND_ARGUMENTS", "expected_since", "2017-06-30", rule="expected_since: a date"))
        return None
    if regions.known(region) and regions.in_force(region, day.year) is None:
        faults.append(fault("REGION_NOT_IN_FORCE", "expected_since", year=day.year))
    return day


def _roles(value: Any, faults: list[Fault]) -> tuple[str, ...] | None:
    if value is None:
        return None
    table: Mapping[Any, Any] = value if isinstance(value, Mapping) else {}  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(value, Mapping) or not set(table) <= set(ROLES):
        faults.append(fault("COMMAND_ARGUMENTS", "roles", rule=f"roles: a table of {', '.join(ROLES)}"))
        return None
    offices = tuple(table.get(role, "") for role in ROLES)
    for role, office in zip(ROLES, offices, strict=True):
        if office != "" and not is_office(office):
            faults.append(fault("ROLE_NO_OFFICE", f"roles.{role}"))
    return offices if any(offices) else ()


def is_office(text: Any) -> bool:
    """Whether a designation names an office or post, and neither a number nor an address."""
    if not isinstance(text, str) or not 2 <= len(text) <= LONGEST or NUMBERS.search(text):
        return False
    return text.endswith(OFFICES)
