"""Between the supervisor and a service: starts it as the next order says (environment, prefix), else as it is.

An order is `<var>/launch/<service>-<worker>.json`: {"environment": {…}, "prefix": […], "times": n or null}. An order
for n starts is used up after n; the pid of the last start under an order stands in `….pid`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def folder(environment: dict[str, str]) -> Path:
    """Where orders lie: beside the secrets of the stack."""
    return Path(environment["CREDIT_SECRETS"]).parent / "launch"


def take(order: Path) -> dict[str, Any]:
    """The order for this start; one that is used up is gone before the service runs."""
    try:
        found: dict[str, Any] = json.loads(order.read_text())
    except FileNotFoundError:
        return {}
    if found["times"] is not None:
        found["times"] -= 1
        if found["times"] > 0:
            order.write_text(json.dumps(found))
        else:
            order.unlink()
    order.with_suffix(".pid").write_text(str(os.getpid()))
    return found


def main() -> None:
    """Become the service."""
    env = dict(os.environ)
    order = take(folder(env) / f"{env['CREDIT_SERVICE']}-{env['CREDIT_WORKER']}.json")
    command = [*order.get("prefix", ()), sys.executable, "-m", *sys.argv[1:]]
    os.execvpe(command[0], command, env | order.get("environment", {}))


if __name__ == "__main__":
    main()
