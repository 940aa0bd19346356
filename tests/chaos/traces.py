"""Whether a text lies about in clear, in any spelling: in topics, in the files of stores and logs, in metrics."""

from __future__ import annotations

import json
import urllib.request
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from deploy.local.layout import SERVICES, Layout
from services.cli.outsider import Offsets, Reader

PIECE = 1 << 20
SUBMITTED = "credit.submit."  # an agency's own topic: the one place where a person may stand in clear


def forms(text: str) -> Iterator[bytes]:
    """UTF-8, GB18030 and JSON's escapes; the first two also in hexadecimal and in base64, wherever it may begin."""
    yield json.dumps(text)[1:-1].encode()
    for plain in (text.encode(), text.encode("gb18030")):
        yield from (plain, plain.hex().encode(), plain.hex().upper().encode())
        for before in range(3):
            whole = b64encode(bytes(before) + plain)
            yield whole[before + (before > 0) : len(whole) - 4]


class Search:
    """Looks for some texts. Batches are compressed on the broker's disk, so its messages are looked at as well."""

    def __init__(self, layout: Layout, texts: Iterable[str]) -> None:
        self._layout = layout
        self._wanted = sorted({form for text in texts for form in forms(text)})

    def holds(self, data: bytes) -> bool:
        """Any of them, in any form."""
        return any(data.find(form) >= 0 for form in self._wanted)

    def topics(self, since: Offsets) -> set[str]:
        """Topics that hold one in key, value or header behind these offsets."""
        with Reader(self._layout) as reader:
            return {str(m.topic()) for m in reader.read(reader.topics("credit."), dict(since)) if self._in(m)}

    def _in(self, message: Any) -> bool:
        parts = (message.key(), message.value(), *(part for pair in message.headers() or () for part in pair))
        return any(self.holds(part.encode() if isinstance(part, str) else part) for part in parts if part)

    def files(self, since: float) -> list[str]:
        """Files of the stack, written since (seconds of the epoch), that hold one; relative to its folder."""
        var = self._layout.var
        found = (file for file in var.rglob("*") if not file.parent.name.startswith(SUBMITTED))
        return sorted(str(file.relative_to(var)) for file in found if _written(file, since) and self.in_file(file))

    def in_file(self, file: Path) -> bool:
        """Piece by piece; of a running program's file, so it may shrink or go away meanwhile."""
        longest, end = max(map(len, self._wanted)), b""
        try:
            with file.open("rb") as stream:
                while piece := stream.read(PIECE):
                    if piece.strip(b"\0") and self.holds(end + piece):  # indexes and logs are made long and empty
                        return True
                    end = piece[-longest:]
        except FileNotFoundError:
            pass
        return False

    def metrics(self, services: Sequence[str] = SERVICES) -> list[str]:
        """Services whose metrics hold one."""
        return [service for service in services if self.holds(self._metrics(service))]

    def _metrics(self, service: str) -> bytes:
        with urllib.request.urlopen(f"http://{self._layout.address(f'{service}.http')}/metrics", timeout=10) as page:
            content: bytes = page.read()
            return content


def _written(file: Path, since: float) -> bool:
    try:
        return file.is_file() and not file.is_symlink() and file.stat().st_mtime >= since
    except FileNotFoundError:
        return False
