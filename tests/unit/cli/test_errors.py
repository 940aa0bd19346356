"""The list of faults as pages: every code is there, and the page in the repository is what the code makes today."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from services.cli import errors_page
from services.ingestion.contracts.errors import error_list
from services.ingestion.domain.codes import CODES

PAGE = Path(__file__).parents[3] / "services" / "ingestion" / "ERRORS.md"


class Anchors(HTMLParser):
    """The rows one can link to, and whether every element is closed in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        self.found += [value or "" for name, value in attrs if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_in_the_repository_is_made_from_the_code() -> None:
    """Else: credit errors page -o services/ingestion/ERRORS.md."""
    assert PAGE.read_text(encoding="utf-8") == errors_page.markdown(error_list())


def test_every_code_can_be_linked_to() -> None:
    anchors = Anchors()
    anchors.feed(errors_page.html(error_list()))
    assert (sorted(anchors.found), anchors.open) == (sorted(CODES), [])


def test_every_fault_of_a_submission_is_told_in_both_languages_with_its_source_and_a_right_example() -> None:
    for row in error_list():
        assert "{" not in "".join(row.values()), "a placeholder was left"
        assert row["message_zh"] and row["message_en"] and row["rule"] and row["clause"]
        assert row["example"] or row["about"] != "submission", row["code"]
