"""As whom programs run and how they die: never longer than the supervisor, PostgreSQL never as root."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from pathlib import Path

from deploy.local.faults import StackFault

CANDIDATES = ("postgres", "nobody")  # the first that this machine knows
REACH = "dac_read_search"


def bound(*, dies: str = "KILL") -> list[str]:
    """A prefix of a command: the program gets this signal when the supervisor ends, however it ends."""
    return ["setpriv", f"--pdeathsig={dies}"]


def prefix(data: Path, dies: str = "") -> list[str]:
    """A prefix of a command that works in `data`: as its owner, when root calls."""
    words = bound(dies=dies) if dies else ["setpriv"]
    if os.geteuid() != 0:
        return words if dies else []
    owner = _owner(data)
    words += [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    if not (_reachable(data.parent) and _reachable(Path(__file__))):
        # A clone below a closed folder, e.g. /root: may pass through it, as root could.
        words += [f"--inh-caps=+{REACH}", f"--ambient-caps=+{REACH}"]
    return words


def give(folder: Path) -> None:
    """Hand a new folder to the user the database will run as, when root calls."""
    if os.geteuid() == 0:
        user = _somebody()
        os.chown(folder, user.pw_uid, user.pw_gid)


def _owner(data: Path) -> pwd.struct_passwd:
    """Data that exist stay with whom they were given to, whoever has been added to this machine since."""
    return pwd.getpwuid(data.stat().st_uid) if data.exists() else _somebody()


def _somebody() -> pwd.struct_passwd:
    for name in CANDIDATES:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StackFault("PostgreSQL cannot run as root and this machine has no user nobody: useradd --system postgres")


def require_setpriv() -> None:
    """Raises `StackFault` without util-linux."""
    if shutil.which("setpriv") is None:
        raise StackFault("setpriv is not installed: apt-get install util-linux")


def _reachable(path: Path) -> bool:
    """True if everybody may pass through every folder above."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.absolute().parents)
