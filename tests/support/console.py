"""Console blocks of a page, run and compared: what a page shows is what the program says today.

In what is expected, … stands for any text within a line, and a line of … alone for any number of lines.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
CHANGING = re.compile(r"\b[0-9a-f]{12,}\b|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?\+00:00")  # ids and moments
FOLDER = re.compile(r"(?<![\w…])/(?:[\w.@+-]+/)+")  # of an absolute path


class Step(NamedTuple):
    """A command and the lines it is expected to print."""

    command: str
    expected: tuple[str, ...]


def steps(page: str) -> list[Step]:
    """Every command of every block, in order."""
    found: list[Step] = []
    for block in BLOCK.findall(page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.rstrip("\n").split("\n")
            found.append(Step(command, tuple(lines)))
    return found


def run(command: str, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """What it prints on both channels; a command that fails is no part of a page."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, f"$ {command}: {done.returncode}\n{done.stdout}"
    return done.stdout.splitlines()


def agrees(expected: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether what was printed is what the page says."""
    parts = [r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n" for line in expected]
    return re.fullmatch("".join(parts), "".join(f"{line}\n" for line in printed)) is not None


def written(page: str, printed: Sequence[Sequence[str]]) -> str:
    """The page with what was printed in the place of what was expected; what changes with every run becomes …"""
    said = iter(zip(steps(page), printed, strict=True))

    def block(found: re.Match[str]) -> str:
        shown = [next(said) for _ in re.findall(r"^\$ ", found[1], flags=re.MULTILINE)]
        return f"```console\n{''.join(_text(step, lines) for step, lines in shown)}```"

    return BLOCK.sub(block, page)


def _text(step: Step, lines: Sequence[str]) -> str:
    return f"$ {step.command}\n" + "".join(f"{steady(line)}\n" for line in lines)


def steady(line: str) -> str:
    """A printed line without what the next run prints otherwise."""
    return CHANGING.sub("…", FOLDER.sub("…/", line))
