"""The verifier asks a registry that has just lost its database again, and takes nothing else for an answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.chaos.reading import Unreadable, schema_text


@contextmanager
def registry(*codes: int) -> Generator[str]:
    """Answers with these codes, one after the other."""
    left = list(codes)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(left.pop(0))
            self.end_headers()
            self.wfile.write(json.dumps({"schema": '"string"'}).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_schema_is_asked_for_again_while_the_registry_has_lost_its_database() -> None:
    with registry(500, 503, 200) as address:
        assert schema_text(address, 7) == '"string"'


def test_a_schema_that_nobody_registered_is_none() -> None:
    with registry(404) as address:
        assert schema_text(address, 7) is None


def test_any_other_answer_is_unreadable() -> None:
    with registry(403) as address, pytest.raises(Unreadable, match="403"):
        schema_text(address, 7)
