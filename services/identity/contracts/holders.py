"""Whom a record names as holding an office: the one place where such a name is read, and where it stays.

What leaves is a keyed hash of the name's matching key. A person's record names an organisation by code instead; its
subject id, made of a document by identity's rules, says who it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.identity.domain.codes import keyed_id, refer
from services.identity.domain.relations import ROLE_OF, Holder
from services.kernel.names import matching_key

NAME = "fddbr"  # 法定代表人（负责人） of a register entry
EMPLOYER, STATE = "zydwdm", "zyzt"  # of a professional's record
LEFT = frozenset({"注销", "吊销"})  # the person practises no more


def holder(pepper: bytes, item: str, payload: Mapping[str, Any]) -> Holder | None:
    """None where nobody is named; raises KeyError, TypeError or AttributeError for a payload of another item."""
    role = ROLE_OF[item]
    if role == "RESPONSIBLE_PERSON":
        organisation = refer(pepper, "uscc", payload[EMPLOYER] or "")
        return None if organisation.fault or payload[STATE] in LEFT else Holder(role, organisation=organisation.id)
    key = matching_key(payload[NAME] or "")
    return Holder(role, keyed_id(pepper, "name", key)) if key else None
