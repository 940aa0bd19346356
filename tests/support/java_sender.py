"""The Java sender of an agency, compiled with the compiler of the bench's plain Java peer: a JRE has none."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.peers.fetching import PLAIN
from deploy.local import jars
from deploy.local.layout import REPO, Layout

SENDER = REPO / "services" / "cli" / "sample"
COMPILER = "org.eclipse.jdt.internal.compiler.batch.Main"


class Unavailable(Exception):
    """The jars cannot be had here; says why."""


def command(source: Path) -> list[str]:
    """How to run a Send.java; raises `Unavailable`."""
    folder = _jars(Layout.from_environment().cache)
    path = os.pathsep.join(map(str, sorted(folder.glob("*.jar"))))
    options = ["-source", "21", "-target", "21", "-nowarn", "-proc:none", "-cp", path, "-d", str(source.parent)]
    done = _run([jars.java(), "-cp", path, COMPILER, *options, str(source)])
    assert done.returncode == 0, done.stdout + done.stderr
    return [jars.java(), f"-Dsample={source.parent}", "-cp", os.pathsep.join((path, str(source.parent))), "Send"]


def _jars(cache: Path) -> Path:
    """The sender's jars and the compiler's; fetched once, and a folder is there only when it is complete."""
    poms = (SENDER / "pom.xml", PLAIN)
    edition = hashlib.sha256(b"".join(pom.read_bytes() for pom in poms)).hexdigest()[:12]
    folder, draft = cache / f"java-sender-{edition}", cache / f"java-sender-draft-{os.getpid()}"
    if folder.is_dir():
        return folder
    if shutil.which("mvn") is None:
        raise Unavailable("mvn is not installed, and the jars of the Java sender are not fetched yet")
    for pom in poms:
        target = [f"-DoutputDirectory={draft}", "-DincludeScope=runtime"]
        done = _run(["mvn", "-q", "-B", "-ntp", "-f", str(pom), jars.COPY, *target])
        if done.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            raise Unavailable(f"mvn cannot fetch what {pom.name} names")
    draft.rename(folder)
    return folder


def _run(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=280)
