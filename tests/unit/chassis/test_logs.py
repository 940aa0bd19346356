"""Logs: one JSON object a line, and nothing in it that could name anybody."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
import structlog
from asyncpg import UniqueViolationError

from services.chassis import logs
from services.chassis.settings import Settings
from tests.unit.chassis.test_settings import environment

USCC = "91420100MA4KXXXX0A"
RESIDENT = "11010519491231002X"


@pytest.fixture(autouse=True)
def configured(tmp_path: Path) -> Generator[None]:
    hook, handlers = sys.excepthook, logging.root.handlers[:]
    logs.configure(Settings.from_environment(environment(tmp_path)))
    yield
    sys.excepthook, logging.root.handlers[:] = hook, handlers
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_one_json_object_with_service_and_worker(capsys: pytest.CaptureFixture[str]) -> None:
    logs.log("lanes_claimed", lanes=3)
    (line,) = lines(capsys)
    assert (line["event"], line["service"], line["worker"], line["lanes"]) == ("lanes_claimed", "national_sync", 1, 3)


@pytest.mark.parametrize("hidden", [USCC, USCC.lower(), RESIDENT, "420103198001012", "12345678-9", "演示公司"])
def test_hides_identifiers_and_names_under_allowed_keys(hidden: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.log("transient", reason=f"row ({hidden}) is bad", what=[hidden])
    text = capsys.readouterr().err
    assert hidden not in text
    assert "row (" in text


def test_hides_a_number_that_is_an_identifier(capsys: pytest.CaptureFixture[str]) -> None:
    logs.log("transient", offset=110105194912310021, count=1795478400000)
    (line,) = lines(capsys)
    assert (line["offset"], line["count"]) == (logs.REDACTED, 1795478400000)


def test_unknown_keys_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.log("seen", subject_name="Zhang San")
    assert "Zhang" not in capsys.readouterr().err


def test_a_topic_and_a_record_id_stay_readable(capsys: pytest.CaptureFixture[str]) -> None:
    logs.log("lane_stopped", topic="credit.submit.420000-gsj.v1", name="3f0c6d1e8a2b4c5d9e7f60718293a4b5")
    (line,) = lines(capsys)
    assert (line["topic"], line["name"]) == ("credit.submit.420000-gsj.v1", "3f0c6d1e8a2b4c5d9e7f60718293a4b5")


def test_libraries_speak_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("aiokafka.cluster").warning("broker %s away", RESIDENT)
    (line,) = lines(capsys)
    assert (line["event"], line["logger"]) == ("library", "aiokafka.cluster")
    assert RESIDENT not in str(line)


def test_a_database_error_is_described_without_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    logs.last_words(UniqueViolationError, UniqueViolationError("Key (name)=(Zhang San) already exists"), None)
    (line,) = lines(capsys)
    assert (line["event"], line["sqlstate"]) == ("died_of_a_bug", "23505")
    assert "Zhang" not in str(line)


def test_a_trace_id_is_bound(capsys: pytest.CaptureFixture[str]) -> None:
    with logs.traced(b"00-" + b"ab" * 16 + b"-" + b"cd" * 8 + b"-01"):
        logs.log("seen")
    logs.log("seen")
    first, second = lines(capsys)
    assert first["trace_id"] == "ab" * 16
    assert "trace_id" not in second
