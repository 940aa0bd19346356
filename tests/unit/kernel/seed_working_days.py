"""Writes the kernel's working_days.csv from chinesecalendar: `python -m tests.unit.kernel.seed_working_days`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

import chinese_calendar
from chinese_calendar import constants

from services.kernel import working_days

TABLE = Path(working_days.__file__).with_name("working_days.csv")


def rows() -> Iterator[tuple[str, str, str]]:
    """Date, kind and source of every day that differs from Monday to Friday."""
    source = f"chinesecalendar {version('chinesecalendar')}"
    years = [day.year for day in constants.holidays]
    day, last = date(min(years), 1, 1), date(max(years), 12, 31)
    while day <= last:
        worked = bool(chinese_calendar.is_workday(day))
        if worked != (day.weekday() < 5):
            yield day.isoformat(), "working_weekend" if worked else "holiday", source
        day += timedelta(1)


def main() -> None:
    """Replace the table."""
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("date", "kind", "source"))
        writer.writerows(rows())


if __name__ == "__main__":
    main()
