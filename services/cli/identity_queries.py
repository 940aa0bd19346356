"""Asks identity by gRPC, and sends it what people order."""

from __future__ import annotations

import json
import os
from typing import Any

from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.cli import commands

DEADLINE_S = 10.0
KEY = "subjects"  # of all orders: they are decided in the order they were given


def ask(layout: Layout, method: str, **request: Any) -> dict[str, Any]:
    """One answer of identity as JSON has it; raises `StackFault` with the service's own reason."""
    import grpc
    from credit.identity.v1 import identity_pb2 as pb
    from credit.identity.v1 import identity_pb2_grpc as pb_grpc
    from google.protobuf.json_format import MessageToDict

    whole: Any = {"preserving_proto_field_name": True, "always_print_fields_with_no_presence": True}
    try:
        with grpc.insecure_channel(layout.address("identity.grpc")) as door:
            stub: Any = pb_grpc.IdentityStub(door)
            made: Any = getattr(pb, f"{method}Request")(**request)
            return MessageToDict(getattr(stub, method)(made, timeout=DEADLINE_S), **whole)
    except grpc.RpcError as error:
        told: Any = error
        details = told.details() or ""
        remedy = ": credit status" if "connect" in details.lower() else ""
        raise StackFault(f"identity answers {told.code().name} {details[:200]}{remedy}") from None


def order(layout: Layout, kind: str, by: str, **arguments: Any) -> dict[str, Any]:
    """What was done; raises `StackFault` with the reason of a refusal, and what stands against it."""
    said = {**arguments, "by": by or os.environ.get("USER", "operator")}
    answer = commands.send(layout, "identity", kind, KEY, said)
    detail: dict[str, Any] = json.loads(answer.detail) if answer.detail else {}
    if answer.outcome != "DONE":
        fault = answer.faults[0]
        against = f" {json.dumps(detail, ensure_ascii=False)}" if detail else ""
        raise StackFault(f"{fault['code']}: {fault['message_en']}{against}")
    return detail
