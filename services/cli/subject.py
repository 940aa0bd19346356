"""`credit subject CODE`: what is disclosed about a subject."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any

import typer

from deploy.local.faults import StackFault
from deploy.local.layout import Layout

DEADLINE_S = 10.0


def subject(
    code: Annotated[str, typer.Argument(help="A unified social credit code, or another with --kind.")],
    kind: Annotated[str, typer.Option(help="uscc, org_code, reg_no, tax_no or subject_id.")] = "uscc",
    channel: Annotated[str, typer.Option(help="public or government.")] = "public",
    purpose: Annotated[
        str, typer.Option(help="What the answer is for; kept in the audit log.")
    ] = "command line look-up",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what is disclosed about a subject. Every look is written to the audit log before the answer comes."""
    found = look_up(Layout.from_environment(), kind, code, channel, purpose)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    codes = ", ".join(f"{entry['kind']} {entry['code']}" for entry in found["codes"])
    typer.echo(f"{found['subject_name'] or '(no registration yet)'}  {found['subject_kind']}  {codes}")
    for record in found["records"]:
        typer.echo(f"  {record['decided_on']}  {record['item']:<26}{record['agency']:<14}version {record['version']}")
        for name, text in sorted(record["fields"].items()):
            typer.echo(f"      {name}: {text}")


def look_up(layout: Layout, kind: str, code: str, channel: str, purpose: str) -> dict[str, Any]:
    """The subject and its records; raises `StackFault` with the service's own reason."""
    import grpc
    from credit.disclosure.v1 import disclosure_pb2 as pb
    from credit.disclosure.v1 import disclosure_pb2_grpc as pb_grpc

    channels = {"public": pb.CHANNEL_PUBLIC, "government": pb.CHANNEL_GOVERNMENT}
    if channel not in channels:
        raise StackFault(f"there is no channel {channel!r}: public or government")
    inquiry = pb.Inquiry(channel=channels[channel], caller=f"credit/{os.environ.get('USER', 'shell')}", purpose=purpose)
    try:
        with grpc.insecure_channel(layout.address("disclosure.grpc")) as door:
            stub: Any = pb_grpc.DisclosureStub(door)
            by_id = kind == "subject_id"
            key = pb.SubjectKey(subject_id=code) if by_id else pb.SubjectKey(code=pb.Code(kind=kind, code=code))
            request = pb.GetSubjectRequest(inquiry=inquiry, subject=key)
            known = stub.GetSubject(request, timeout=DEADLINE_S).subject
            return _whole(pb, stub, inquiry, known)
    except grpc.RpcError as error:
        raise StackFault(f"disclosure answers {_reason(error)}") from None


def _whole(pb: Any, stub: Any, inquiry: Any, known: Any) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    records: list[dict[str, Any]] = []
    token = ""
    while True:
        request = pb.ListRecordsRequest(inquiry=inquiry, subject_id=known.subject_id, page_size=500, page_token=token)
        page = stub.ListRecords(request, timeout=DEADLINE_S)
        records += [_plain(MessageToDict(record, preserving_proto_field_name=True)) for record in page.records]
        token = page.next_page_token
        if not token:
            break
    names = ("subject_id", "subject_kind", "subject_name")
    codes = [{"kind": entry.kind, "code": entry.code} for entry in known.codes]
    return {**{name: getattr(known, name) for name in names}, "codes": codes, "records": records}


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {"fields": {}, **record}


def _reason(error: Any) -> str:
    details = error.details() or ""
    remedy = ": credit status" if "connect" in details.lower() else ""
    return f"{error.code().name} {details[:200]}{remedy}"
