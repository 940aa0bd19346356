"""Fetches what the peers need, once: jars through Maven, Python packages through pip; pinned, kept in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.local import jars
from deploy.local.layout import Layout

HERE = Path(__file__).parent
PLUGINS, PLAIN, LOCK, SOURCE = (
    HERE / name for name in ("connect-plugins.xml", "plain-java.xml", "requirements.lock", "PlainConsumer.java")
)
Fill = Callable[[Path], None]


def plugins(layout: Layout) -> Path:
    """The folder of Kafka Connect's plugins: one sub-folder for the sink, one for the converter."""
    return _once(layout, "bench-plugins", [PLUGINS], _fill_plugins)


def plain_java(layout: Layout) -> Path:
    """The folder of the plain consumer's class and jars."""
    return _once(layout, "bench-java", [PLAIN, SOURCE], lambda folder: _fill_java(layout, folder))


def environment(layout: Layout) -> Path:
    """The `bin` folder of the Python peers' own virtual environment."""
    return _once(layout, "bench-python", [LOCK], _fill_environment, movable=False) / "bin"


def _once(layout: Layout, name: str, sources: Sequence[Path], fill: Fill, movable: bool = True) -> Path:
    """A folder exists only when it is complete; one per edition of its sources."""
    edition = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    folder = layout.cache / f"{name}-{edition}"
    done = folder / ".complete"
    if done.exists():
        return folder
    draft = layout.cache / f"{name}-draft-{os.getpid()}" if movable else folder
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        fill(draft)
        (draft / ".complete").touch()
        if draft != folder:
            draft.rename(folder)
    except OSError:
        if not done.exists():  # otherwise another process was faster
            raise
    finally:
        if draft != folder:
            shutil.rmtree(draft, ignore_errors=True)
    return folder


def _fill_plugins(folder: Path) -> None:
    converter = folder / "converter"
    _maven(PLUGINS, converter)
    jars.unpack(next(converter.glob("debezium-connector-jdbc-*-plugin.tar.gz")), folder)


def _fill_java(layout: Layout, folder: Path) -> None:
    _maven(PLAIN, folder)
    compiler = next(folder.glob("ecj-*.jar"))
    path = os.pathsep.join(str(jar) for jar in (*folder.glob("*.jar"), *jars.folder(layout).glob("*.jar")))
    options = ["-source", "21", "-target", "21", "-nowarn", "-proc:none", "-cp", path, "-d", str(folder), str(SOURCE)]
    _run([jars.java(), "-cp", str(compiler), "org.eclipse.jdt.internal.compiler.batch.Main", *options], "the compiler")
    compiler.unlink()


def _fill_environment(folder: Path) -> None:
    _run([sys.executable, "-m", "venv", str(folder)], "venv")
    install = [str(folder / "bin" / "pip"), "install", "--quiet", "--require-hashes", "-r", str(LOCK)]
    _run(install, "pip (a package index is needed once for the Python peers)")


def _maven(pom: Path, target: Path) -> None:
    if shutil.which("mvn") is None:
        raise SystemExit("mvn is not installed, and the jars of the peers are not fetched yet: apt-get install maven")
    options = [f"-DoutputDirectory={target}", "-DincludeScope=runtime"]
    _run(["mvn", "-q", "-B", "-ntp", "-f", str(pom), jars.COPY, *options], "mvn")


def _run(command: Sequence[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
        raise SystemExit(f"{what} ended with {done.returncode} ({lines[-1][:300]}): check the network and try again")
