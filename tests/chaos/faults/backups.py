"""F25: the cluster's data are lost under load; they come back from a backup and the log kept since."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

from deploy.local import postgres
from deploy.local.layout import SERVICES
from tests.chaos.fault import Measured, fault
from tests.chaos.faults.database import connect
from tests.chaos.ground import Ground

AFTER_S = 30.0  # so much goes on after the backup
KEEP, KEEP_NO_MORE = "ALTER SYSTEM SET wal_keep_size = '8GB'", "ALTER SYSTEM RESET wal_keep_size"


async def _set(ground: Ground, setting: str) -> None:
    superuser = await connect(ground, postgres.SUPERUSER)
    await superuser.execute(setting)
    await superuser.execute("SELECT pg_reload_conf()")
    await superuser.close()


async def _back_up(ground: Ground, data: Path, to: Path) -> None:
    """A base backup while everything goes on, by the server's own protocol."""
    superuser = await connect(ground, postgres.SUPERUSER)
    await superuser.execute("SELECT pg_backup_start('chaos', fast => true)")
    _copy(data, to)
    label: str = await superuser.fetchval("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)")
    await superuser.close()
    (to / "backup_label").write_text(label)
    (to / "postmaster.pid").unlink(missing_ok=True)
    shutil.copystat(to / "PG_VERSION", to / "backup_label")


def _copy(folder: Path, to: Path) -> None:
    """Files may go away while they are copied: the log brings them back or forgets them."""
    done = subprocess.run(["cp", "-a", f"{folder}/.", str(to)], capture_output=True, text=True, check=False)
    lost = [line for line in done.stderr.splitlines() if "No such file" not in line]
    if lost:
        raise RuntimeError(f"the backup failed: {lost[0]}")


@fault("F25", "store restored from a backup", f"base backup under load; {AFTER_S:.0f} s later the server killed and "
       "its data folder deleted, all but the write-ahead log; restored from both",
       "what was committed is there, no position said again with other content, I1–I8", 600)  # fmt: skip
def restored(ground: Ground, chance: random.Random) -> Measured:
    """The log lies on a disk of its own, as it should: nothing that was committed is lost with the data."""
    data = ground.layout.var / "postgres" / "data"
    backup, log = data.with_name("backup"), data.with_name("log")
    owner = data.stat()
    backup.mkdir(mode=0o700)
    asyncio.run(_set(ground, KEEP))
    asyncio.run(_back_up(ground, data, backup))
    time.sleep(AFTER_S + chance.random() * 5)
    ground.signal("postgres", signal.SIGKILL)
    since = time.monotonic()
    ground.supervisor.stop(["postgres"])
    (data / "pg_wal").rename(log)
    shutil.rmtree(data)
    shutil.rmtree(backup / "pg_wal")
    log.rename(backup / "pg_wal")
    backup.rename(data)
    for path in (data, data / "backup_label"):
        shutil.chown(path, owner.st_uid, owner.st_gid)
    ground.supervisor.begin("postgres")
    measured = Measured([ground.recovery(SERVICES, since, 600)])
    asyncio.run(_set(ground, KEEP_NO_MORE))
    return measured
