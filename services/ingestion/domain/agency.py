"""A reporting agency (报送单位): registered by the operator, with the catalogue items it may submit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.ingestion.domain.events import AgencyRegistered, CommandRefused, CommandRepeated, ReferenceEvent
from services.ingestion.domain.faults import Fault, fault
from services.ingestion.domain.identifiers import is_hubei
from services.ingestion.domain.profile import CODE, UNKNOWN, UNSAID, Profile, Wish, read_wish

REMEMBERED = 8  # commands per aggregate whose repetition is answered as they were


class RegisterAgency(NamedTuple):
    """The command, with the values it carries."""

    command_id: str
    code: str
    name_zh: str
    region: str
    items: tuple[str, ...]
    faults: tuple[Fault, ...]
    wish: Wish = UNSAID


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency as it stands."""

    name_zh: str = ""
    region: str = ""
    items: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    profile: Profile = UNKNOWN


NOBODY = Agency()


def read_register(command_id: str, arguments: Mapping[str, Any]) -> RegisterAgency:
    """Take the arguments apart; whatever is wrong with them becomes a fault."""
    faults: list[Fault] = []
    code, name, items = arguments.get("code"), arguments.get("name_zh"), arguments.get("items")
    if not isinstance(code, str) or not CODE.fullmatch(code):
        faults.append(fault("COMMAND_ARGUMENTS", "code", "420000-gsj", rule="6-digit region, -, short name"))
        code = ""
    if not isinstance(name, str) or not name.strip():
        faults.append(fault("COMMAND_ARGUMENTS", "name_zh", rule="the agency's name"))
        name = ""
    names = _texts(items)
    if names is None:
        faults.append(fault("COMMAND_ARGUMENTS", "items", rule="a list of item codes"))
    region = str(arguments.get("region") or code[:6])
    if code and (region != code[:6] or not is_hubei(region)):
        faults.append(fault("REGION_UNKNOWN", "region"))
    wish, wrong = read_wish(code, arguments)
    return RegisterAgency(command_id, code, name, region, names or (), (*faults, *wrong), wish)


def _texts(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    entries: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
    return tuple(sorted(set(entries))) if all(isinstance(entry, str) for entry in entries) else None


def decide(state: Agency, given: RegisterAgency) -> Sequence[ReferenceEvent]:
    """Registering again with other values replaces them; with the same ones it changes nothing.

    A command of the first form says nothing of the profile, so it takes nothing of it away.
    """
    if given.faults:
        return (CommandRefused(given.command_id, given.faults),)
    profile = given.wish.after(state.profile)
    after = (given.name_zh, given.region, given.items, profile)
    if after == (state.name_zh, state.region, state.items, state.profile) or given.command_id in state.commands:
        return (CommandRepeated(given.command_id),)
    return (AgencyRegistered(given.command_id, *after),)


def evolve(state: Agency, event: ReferenceEvent) -> Agency:
    """The state after an event."""
    if isinstance(event, AgencyRegistered):
        commands = (*state.commands, event.command_id)[-REMEMBERED:]
        return Agency(event.name_zh, event.region, event.items, commands, event.profile)
    return state
