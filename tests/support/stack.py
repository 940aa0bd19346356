"""A stack of the tests' own: started once a session, on ports and in a folder of its own, ended with it."""

# pyright: reportPrivateImportUsage=false
# The library re-exports its own classes without saying so.

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.local import passwords, postgres
from deploy.local.layout import REPO, Layout
from tests.support.outside import Outside

DEADLINE_S = 60.0


def eventually(check: Callable[[], Any], what: str, seconds: float = DEADLINE_S) -> Any:
    """Wait for a condition of another process; the time limit is a bound, not a measurement."""
    end = time.monotonic() + seconds
    while True:
        if found := check():
            return found
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)


@dataclass(frozen=True)
class Stack:
    """Addresses and doors of a running stack."""

    layout: Layout

    def as_user(self, user: str) -> Outside:
        """What this Kafka principal sees."""
        secret = passwords.password(self.layout.secrets, user)
        return Outside(self.layout.address("kafka"), self.layout.registry_url, user, secret)

    def sql(self, role: str, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Ask a service's database as its own role."""
        return asyncio.run(self._sql(role, statement, *values))

    async def _sql(self, role: str, statement: str, *values: Any) -> list[asyncpg.Record]:
        secret = passwords.password(self.layout.secrets, role)
        connection = await asyncpg.connect(self.layout.database(role), password=secret)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    def environment(self) -> dict[str, str]:
        """The environment of a `credit` call on this stack."""
        return os.environ | {"CREDIT_VAR": str(self.layout.var), "CREDIT_PORT_BASE": str(self.layout.port_base)}

    def credit(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the command line on this stack."""
        command = [sys.executable, "-m", "services.cli", *words]
        done = subprocess.run(command, env=self.environment(), cwd=REPO, capture_output=True, text=True, timeout=280)
        assert not check or done.returncode == 0, (
            f"credit {' '.join(words)}: {done.stdout[-2000:]} {done.stderr[-4000:]}"
        )
        return done

    def make_topics(self, *names: str, partitions: int = 2) -> None:
        """Topics for a test of the spine alone."""
        admin: Any = AdminClient(self.as_user("platform-admin").settings())
        missing = [name for name in names if name not in admin.list_topics(timeout=10).topics]
        made: dict[str, Any] = admin.create_topics([NewTopic(n, partitions, 1) for n in missing]) if missing else {}
        for future in made.values():
            future.result(20)

    def send(self, topic: str, messages: list[tuple[bytes, bytes]]) -> None:
        """Publish as the platform's administrator, acknowledged."""
        producer = Producer(self.as_user("platform-admin").settings() | {"enable.idempotence": True, "linger.ms": 5})
        for key, value in messages:
            producer.produce(topic, value, key)
        assert producer.flush(60) == 0


@contextmanager
def ledger(
    stack: Stack, worker: int = 0, crash_at: str = "", name: str = "ledger", mended: bool = False
) -> Generator[subprocess.Popen[bytes]]:
    """One process of the test service; killed at the end if it still runs. `mended`: the edition without its bug."""
    environment = ledger_environment(stack.layout, name, worker) | {"CREDIT_CRASH_AT": crash_at}
    environment |= {"LEDGER_MENDED": "1"} if mended else {}
    log = (stack.layout.logs / f"{name}-{worker}.log").open("ab")
    process = subprocess.Popen([*LEDGER, "run"], env=environment, cwd=REPO, stdout=log, stderr=log)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        log.close()


LEDGER = [sys.executable, "-m", "tests.support.ledger"]


def ledger_environment(layout: Layout, name: str, worker: int = 0) -> dict[str, str]:
    """What a process of the test service is told; under another name it is another service, with a store of its own."""
    return os.environ | {
        "CREDIT_SERVICE": name,
        "CREDIT_WORKER": str(worker),
        "CREDIT_KAFKA": layout.address("kafka"),
        "CREDIT_KAFKA_USER": "platform-admin",
        "CREDIT_KAFKA_PASSWORD_FILE": str(passwords.path_of(layout.secrets, "platform-admin")),
        "CREDIT_POSTGRES_DSN": layout.database(name),
        "CREDIT_POSTGRES_PASSWORD_FILE": str(passwords.path_of(layout.secrets, name)),
        "CREDIT_REGISTRY": layout.registry_url,
        "CREDIT_HTTP": f"127.0.0.1:{layout.port_base + 280 + worker}",
        "CREDIT_GRPC": f"127.0.0.1:{layout.port_base + 290 + worker}",
        "CREDIT_SECRETS": str(layout.secrets),
    }


def migrate_ledger(stack: Stack, name: str = "ledger") -> None:
    """The test service's own database."""
    postgres.make_databases(stack.layout, [name])
    subprocess.run([*LEDGER, "migrate"], env=ledger_environment(stack.layout, name), cwd=REPO, check=True)


def stack_folder(base: Path) -> Layout:
    """The tests' own layout; the ports can be moved for a second test run beside this one."""
    base_port = os.environ.get("CREDIT_TEST_PORT_BASE", "23000")
    return Layout.from_environment({"CREDIT_VAR": str(base), "CREDIT_PORT_BASE": base_port})
