"""A new agency's first steps as files: a sender in Python, one in Java, settings, and a right record of each item."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from deploy.local.layout import Layout
from services.cli.catalogue import Item
from services.cli.sample_record import sample

SENDERS = Path(__file__).parent / "sample"
FILES = ("send.py", "Send.java", "pom.xml")
PROPERTIES = """\
# Made by credit agency add. It holds no secret: the password is in the file named below, which only you should read.
agency={agency}
bootstrap.servers={kafka}
security.protocol=SASL_PLAINTEXT
sasl.mechanism=SCRAM-SHA-512
password.file={password_file}
schema.registry.url={registry}
record={record}
"""


def write(layout: Layout, agency: str, password_file: str, items: Iterable[Item], folder: Path) -> list[str]:
    """The files that were written, by name; what lies there under these names is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(SENDERS / name, folder / name)
    records = [_record(item, agency, folder) for item in items if item.state == "open"]
    settings = PROPERTIES.format(
        agency=agency,
        kafka=layout.address("kafka"),
        registry=layout.registry_url,
        password_file=password_file,
        record=records[0] if records else "",
    )
    (folder / "agency.properties").write_text(settings, encoding="utf-8")
    return [*FILES, "agency.properties", *records]


def _record(item: Item, agency: str, folder: Path) -> str:
    name = f"{item.code}.json"
    text = json.dumps(sample(item.definition, agency), ensure_ascii=False, indent=2)
    (folder / name).write_text(text + "\n", encoding="utf-8")
    return name
