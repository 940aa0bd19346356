"""The request that sets a quota, byte for byte as KIP-546 has it; an agency's quota is in the file of topics."""

from __future__ import annotations

import struct

from deploy.local import topics
from deploy.local.quotas import AlterClientQuotas, AlterClientQuotasResponse, AlterClientQuotasStruct, Quota


def text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


def test_the_request_is_what_the_protocol_says() -> None:
    built = AlterClientQuotas([Quota("420000-gsj", 1000, 2000)]).prepare({49: (0, 1)})
    assert isinstance(built, AlterClientQuotasStruct)
    expected = b"".join(
        (
            struct.pack(">i", 1),
            struct.pack(">i", 1) + text("user") + text("420000-gsj"),
            struct.pack(">i", 2),
            text("producer_byte_rate") + struct.pack(">d?", 1000.0, False),
            text("consumer_byte_rate") + struct.pack(">d?", 2000.0, False),
            b"\0",
        )
    )
    assert built.encode() == expected


def test_the_answer_is_read() -> None:
    entry = struct.pack(">h", 29) + text("denied") + struct.pack(">i", 1) + text("user") + text("x")
    answer = AlterClientQuotasResponse.decode(struct.pack(">ii", 0, 1) + entry)
    assert answer.entries == [(29, "denied", [("user", "x")])]


def test_every_agency_has_a_quota() -> None:
    (quota,) = topics.agency("420000-gsj").quotas
    assert quota.principal == "420000-gsj"
    assert quota.produce > 0 < quota.fetch
    assert topics.platform().quotas == ()
