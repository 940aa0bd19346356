"""What Maven brings is opened on every Python that the Makefile may choose, Debian's 3.11.2 among them."""

import tarfile
from pathlib import Path

from deploy.local import jars


def test_an_archive_gives_way_to_what_it_contains(tmp_path: Path) -> None:
    (tmp_path / "app.jar").write_bytes(b"jar")
    archive = tmp_path / "app-all.tar.gz"
    with tarfile.open(archive, "w:gz") as content:
        content.add(tmp_path / "app.jar", "lib/app.jar")
    jars.unpack(archive, tmp_path / "registry")
    assert (tmp_path / "registry" / "lib" / "app.jar").read_bytes() == b"jar"
    assert not archive.exists()
