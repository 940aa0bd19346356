"""`python -m deploy.national_platform`: serve until SIGTERM.

CREDIT_NATIONAL_HTTP (host:port) or CREDIT_NATIONAL_PORT (on loopback) says where, CREDIT_NATIONAL_FOLDER or
CREDIT_VAR (then its folder `national`) where certificates and store lie.
"""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from deploy.national_platform import certificates
from deploy.national_platform.server import National
from deploy.national_platform.store import Store


@asynccontextmanager
async def serving(folder: Path, host: str, port: int) -> AsyncGenerator[int]:
    """Serve from a folder, making what is missing in it; gives the port, which the system chooses for port 0."""
    certificates.ensure(folder)
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(folder / "server.pem", folder / "server.key")
    store = Store(folder / "national.sqlite")
    runner = web.AppRunner(National(store).application(), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=secure).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
        store.close()


async def serve_until_stopped(folder: Path, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(folder, host, port) as chosen:
        sys.stdout.write(f"national platform simulator on https://{host}:{chosen}\n")
        sys.stdout.flush()
        await stop.wait()


def where(environment: Mapping[str, str]) -> tuple[Path, str, int]:
    """Folder, host and port; exits with one line naming what is missing."""
    folder = environment.get("CREDIT_NATIONAL_FOLDER") or environment.get("CREDIT_VAR", "") + "/national"
    address = environment.get("CREDIT_NATIONAL_HTTP") or "127.0.0.1:" + environment.get("CREDIT_NATIONAL_PORT", "")
    host, _, port = address.rpartition(":")
    if folder == "/national" or not port.isdigit():
        raise SystemExit("national_platform: set CREDIT_VAR (its folder) and CREDIT_NATIONAL_PORT")
    return Path(folder), host, int(port)


def main() -> None:
    """Read the environment and serve."""
    folder, host, port = where(os.environ)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(serve_until_stopped(folder, host, port))
    except OSError as error:
        why = f"{type(error).__name__}: {error.strerror}"
        raise SystemExit(f"national_platform: cannot serve on {host}:{port} from {folder} ({why})") from None


if __name__ == "__main__":
    main()
