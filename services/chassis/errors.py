"""The four kinds of trouble (architecture §3.3); only three of them are exceptions, a refusal is an event.

Exception
├── Transient        database or broker away: nothing is acknowledged, the lanes are claimed anew and tried again
│   ├── PublishFailed    the broker did not take a batch for good: never publish past it
│   └── LaneLost         another process owns the lane now: drop the batch
├── Unhandleable     this message can never be processed: it is parked, with those of its key behind it
└── anything else    a bug: no commit, the process ends, the supervisor starts it again
"""

from __future__ import annotations


class Transient(Exception):
    """Something this service needs is away; waiting helps.

    `too_much`: a time limit was reached by what was asked, so that asking for less may help as well.
    """

    def __init__(self, *args: object, too_much: bool = False) -> None:
        super().__init__(*args)
        self.too_much = too_much


class PublishFailed(Transient):
    """A committed event could not be published; the lane is given up and published again from `published`."""


class LaneLost(Transient):
    """The compare-and-set on a lane row moved fewer rows than the batch has lanes."""


class Unhandleable(Exception):
    """Content this code can never process; `code` is from a closed set, `detail` holds no identifier."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
