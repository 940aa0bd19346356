"""The operator at identity's key service."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from deploy.local.faults import StackFault
from deploy.local.layout import Layout

DEADLINE_S = 10.0
CREDENTIAL = "keys.operator"
STATES = {1: "LIVE", 2: "ERASED", 3: "REFUSED", 4: "NONE"}


@contextmanager
def door(layout: Layout) -> Generator[Any]:
    """`call(method, request)`, with the operator's credential; raises `StackFault` with the service's own reason."""
    import grpc
    from credit.identity.v1 import keys_pb2_grpc as pb_grpc

    shown = _credential(layout)
    try:
        with grpc.insecure_channel(layout.address("identity.grpc")) as channel:
            stub: Any = pb_grpc.KeysStub(channel)

            def call(method: str, request: Any) -> Any:
                return getattr(stub, method)(request, timeout=DEADLINE_S, metadata=(("authorization", shown),))

            yield call
    except grpc.RpcError as error:
        failed: Any = error
        raise StackFault(f"identity answers {failed.code().name} {failed.details()[:200]}: credit status") from None


def _credential(layout: Layout) -> str:
    file = layout.secrets / CREDENTIAL
    try:
        return f"Bearer {file.read_text(encoding='ascii').strip()}"
    except OSError:
        raise StackFault(f"{file} cannot be read: credit up makes it") from None
