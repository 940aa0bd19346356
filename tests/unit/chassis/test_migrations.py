"""Which migrations are applied, and which differences between files and store are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.chassis.migrations import Migration, MigrationFault, pending, read_folder


def folder(root: Path, room: str, **files: str) -> Path:
    made = root / room / "migrations"
    made.mkdir(parents=True)
    for name, sql in files.items():
        (made / f"{name.removeprefix('m')}.sql").write_text(sql)
    return made


def applied(*migrations: Migration) -> dict[tuple[str, int], str]:
    return {(m.room, m.number): m.checksum for m in migrations}


ONE, TWO = Migration("a", 1, "0001_x.sql", "SELECT 1"), Migration("a", 2, "0002_y.sql", "SELECT 2")


def test_in_the_order_of_numbers(tmp_path: Path) -> None:
    found = read_folder(folder(tmp_path, "a", m0002_y="SELECT 2", m0001_x="SELECT 1"))
    assert found == [ONE, TWO]


@pytest.mark.parametrize("name", ["m1_x", "m0001-x", "m0001_X"])
def test_a_wrong_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MigrationFault, match="must be named"):
        read_folder(folder(tmp_path, "a", **{name: ""}))


def test_a_number_used_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MigrationFault, match="one number"):
        read_folder(folder(tmp_path, "a", m0001_x="", m0001_y=""))


def test_only_what_is_missing_is_applied() -> None:
    assert list(pending([ONE, TWO], applied(ONE))) == [TWO]
    assert list(pending([ONE, TWO], applied(ONE, TWO))) == []


def test_rooms_count_by_themselves() -> None:
    other = Migration("b", 1, "0001_x.sql", "SELECT 3")
    assert list(pending([ONE, TWO, other], applied(ONE, TWO))) == [other]
    late = Migration("a", 3, "0003_z.sql", "")
    assert list(pending([ONE, TWO, late, other], applied(ONE, TWO, other))) == [late]


def test_an_edited_file_is_refused() -> None:
    with pytest.raises(MigrationFault, match="edited"):
        list(pending([ONE._replace(sql="SELECT 9"), TWO], applied(ONE)))


def test_an_older_edition_of_the_code_is_refused() -> None:
    with pytest.raises(MigrationFault, match="unknown"):
        list(pending([ONE], applied(ONE, TWO)))


def test_a_number_put_in_between_is_refused() -> None:
    with pytest.raises(MigrationFault, match="before"):
        list(pending([ONE, TWO], applied(TWO)))
