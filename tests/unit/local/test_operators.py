"""The register of operators as the local stack writes it is the one that services read."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from deploy.local import operators
from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.chassis import signing
from services.chassis.operators import Operators, parse


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setattr(operators, "MARGIN_S", -2)  # nobody has to be waited for
    found = Layout(tmp_path, 19000, tmp_path)
    operators.prepare(found)
    return found


def read(layout: Layout) -> Operators:
    return parse(operators.file_of(layout).read_text(encoding="utf-8"))


def test_the_first_register_lets_the_shell_and_the_catalogue_work(layout: Layout) -> None:
    register = read(layout)
    shell, catalogue = (register.at(name, register.checked_since)[0] for name in ("operator", "svc-ingestion"))
    assert shell.may("identity", "erase_person")
    assert shell.may_speak_for("420000-hbt")
    assert catalogue.may("ingestion", "publish_item")
    assert not catalogue.may("ingestion", "confirm_item")
    assert not catalogue.may_speak_for("420000-hbt")
    assert shell.public_key.hex() == signing.public_key(operators.seed(layout, "operator"))
    file = layout.secrets / "operator.signing"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert operators.seed(layout, "operator") not in operators.file_of(layout).read_text(encoding="utf-8")


def test_what_is_there_stays(layout: Layout) -> None:
    before = operators.file_of(layout).read_bytes()
    operators.prepare(layout)
    assert operators.file_of(layout).read_bytes() == before


def test_an_entry_is_ended_and_another_one_begun_with_another_key(layout: Layout) -> None:
    with pytest.raises(StackFault, match="credit operator list"):
        operators.end(layout, "hbt-seal")
    first = operators.add(layout, "hbt-seal", ["ingestion:confirm_item"], ["420000-hbt"])
    with pytest.raises(StackFault, match="registered already"):
        operators.add(layout, "hbt-seal", ["*"], ["*"])
    operators.end(layout, "hbt-seal")
    second = operators.add(layout, "hbt-seal", ["ingestion:*"], ["42????-hbt"])
    assert first["public_key"] != second["public_key"]
    old, new = (entry for entry in read(layout).entries if entry.principal == "hbt-seal")
    assert (old.commands, old.speaks_for) == (("ingestion:confirm_item",), ("420000-hbt",))
    assert (new.commands, new.speaks_for) == (("ingestion:*",), ("42????-hbt",))
    assert old.until < 1 << 62 == new.until
    assert signing.public_key(operators.seed(layout, "hbt-seal")) == new.public_key.hex()


def test_who_has_no_key_is_told_how_to_get_one(layout: Layout) -> None:
    with pytest.raises(StackFault, match="credit operator add"):
        operators.seed(layout, "nobody")
