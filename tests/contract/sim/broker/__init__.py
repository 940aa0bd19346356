"""What the lane loop and the publisher may expect of a broker and its client."""

from __future__ import annotations

from tests.contract.sim.broker import groups, reading, writing
from tests.contract.sim.broker.case import CASES as registered

ROOMS = (writing, reading, groups)  # each registers its cases when it is imported
CASES = tuple(registered)
