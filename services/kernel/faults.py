"""What is wrong with a value, for the sender to mend."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One finding on one field, in the form of the receipt contract; `code` is from the published list.

    `received` describes the value by its form alone (length, kinds of characters, places): never the value itself.
    """

    code: str
    field: str
    rule: str
    clause: str
    message_zh: str
    message_en: str
    example: str
    received: str = ""
