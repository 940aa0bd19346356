"""What the two Python peers share: addresses from the environment, and decoding. Runs in their own environment."""

# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# It runs in an environment of its own, whose packages the project does not have.

from __future__ import annotations

import io
import json
import os
import urllib.request
from typing import Any

import fastavro

KAFKA, TOPIC, RUN = os.environ["KAFKA"], os.environ["TOPIC"], os.environ["RUN"]
USER, PASSWORD = os.environ["KAFKA_USER"], os.environ["KAFKA_PASSWORD"]
PG, PG_PASSWORD, INSERT = os.environ["PG"], os.environ["PG_PASSWORD"], os.environ["INSERT"]
known: dict[int, Any] = {}


def schema_of(value: bytes) -> Any:
    """The writer's schema, asked for once."""
    number = int.from_bytes(value[1:5], "big")
    if number not in known:
        with urllib.request.urlopen(f"{os.environ['REGISTRY']}/schemas/ids/{number}") as answer:  # noqa: S310 - ours
            known[number] = fastavro.parse_schema(json.loads(json.load(answer)["schema"]))
    return known[number]


def values(value: bytes) -> Any:
    """The fields of a framed record, in their order."""
    return fastavro.schemaless_reader(io.BytesIO(value[5:]), schema_of(value), None).values()
