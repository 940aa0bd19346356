"""Writes the kernel's working_days.csv: `python -m tests.unit.kernel.seed_working_days`.

The days come from chinesecalendar; where a notice that was read says otherwise, the notice is followed.
"""

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
HEAD = ("date", "kind", "occasion", "source")
# 国办发明电〔2005〕35号, 一: 将12月31日（星期六）、1月1日（星期日）两个公休日调至1月2日、3日，12月31日（星期六）上班.
CORRECTED = {date(2005, 12, 31): (True, "New Year's Day", "国办发明电〔2005〕35号")}


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Date, kind, occasion and source of every day that differs from Monday to Friday."""
    package = f"chinesecalendar {version('chinesecalendar')}"
    named = {**constants.holidays, **constants.workdays}
    years = [day.year for day in constants.holidays]
    day, last = date(min(years), 1, 1), date(max(years), 12, 31)
    while day <= last:
        said = bool(chinese_calendar.is_workday(day)), str(named.get(day, "")), package
        worked, occasion, source = CORRECTED.get(day, said)
        if worked != (day.weekday() < 5):
            yield day.isoformat(), "working_weekend" if worked else "holiday", occasion, source
        day += timedelta(1)


def main() -> None:
    """Replace the table."""
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows(rows())


if __name__ == "__main__":
    main()
