"""`credit deadline`: the last day of a term with the way there, without anything that runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.local.faults import StackFault
from services.cli.app import COMMANDS, _load


def run(*words: str) -> Any:
    return CliRunner().invoke(_load("deadline", COMMANDS["deadline"]), list(words))


def test_a_working_term_across_national_day() -> None:
    told = json.loads(run("2017-09-28", "--days", "7", "--unit", "working", "--json").stdout)
    assert (told["due_on"], told["unit"]) == ("2017-10-13", "working")
    counted = {step["day"]: step["number"] for step in told["way"]}
    assert (counted["2017-09-30"], counted["2017-10-08"], counted["2017-10-09"]) == (2, 0, 3)
    assert [notice["document"] for notice in told["notices"]] == ["国办发明电〔2016〕17号"]


def test_a_calendar_term_is_counted_as_written_and_says_so() -> None:
    told = json.loads(run("2017-09-28", "--days", "3", "--unit", "calendar", "--json").stdout)
    assert (told["due_on"], told["notices"]) == ("2017-10-01", [])
    assert "as written" in told["note"]


def test_a_day_moved_in_december_is_cited_from_the_next_years_notice() -> None:
    told = json.loads(run("2005-12-30", "--days", "1", "--unit", "working", "--json").stdout)
    assert told["due_on"] == "2005-12-31"
    assert "国办发明电〔2005〕35号" in {notice["document"] for notice in told["notices"]}


@pytest.mark.parametrize("start", ["2026-12-28", "2027-03-01", "2003-12-31"])
def test_beyond_the_table_it_is_refused(start: str) -> None:
    done = run(start, "--days", "7", "--unit", "working")
    assert (done.stdout, type(done.exception)) == ("", StackFault)
    assert "nothing is guessed" in str(done.exception)


@pytest.mark.parametrize(
    "words", [("2017-09-31", "--days", "1", "--unit", "working"), ("2017-09-28", "--days", "-1", "--unit", "working")]
)
def test_what_is_no_question_is_wrong_usage(words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2
