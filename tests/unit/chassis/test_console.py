"""A page whose output is no longer true is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import console

PAGE = """Words.

```console
$ printf 'one 0123456789abcdef0123456789\\ntwo\\n'
one …
two
$ echo three
three
```
"""


def printed(page: str, folder: Path) -> list[list[str]]:
    return [console.run(step.command, folder, os.environ) for step in console.steps(page)]


def test_a_page_that_is_true_agrees_and_is_written_as_it_is(tmp_path: Path) -> None:
    said = printed(PAGE, tmp_path)
    assert all(console.agrees(step.expected, lines) for step, lines in zip(console.steps(PAGE), said, strict=True))
    assert console.written(PAGE, said) == PAGE


@pytest.mark.parametrize(
    ("expected", "lines", "agrees"),
    [
        (["a", "…", "d"], ["a", "b", "c", "d"], True),
        (["a", "…"], ["a"], True),
        (["a … c"], ["a b c"], True),
        (["a.c"], ["abc"], False),
        (["a"], ["a", "b"], False),
        (["a", "b"], ["a"], False),
        ([], ["a"], False),
    ],
)
def test_only_dots_stand_for_something_else(expected: list[str], lines: list[str], agrees: bool) -> None:
    assert console.agrees(expected, lines) is agrees


def test_a_command_that_fails_is_seen(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no such place"):
        console.run("echo no such place >&2; exit 3", tmp_path, os.environ)


def test_what_changes_with_every_run_is_left_out_of_a_page() -> None:
    assert (
        console.steady("  password_file /tmp/x-1/secrets/420000-gsj.password")
        == "  password_file …/420000-gsj.password"
    )
    assert console.steady("id 0123456789abcdef at 2026-11-30 08:00:00.123000+00:00") == "id … at …"
    assert (
        console.steady("http://127.0.0.1:1/apis/x/v7 services/cli/x.py")
        == "http://127.0.0.1:1/apis/x/v7 services/cli/x.py"
    )
