"""What the supervisor runs: one entry per program, with its command and its surroundings."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.local import account, broker, operators, passwords, postgres, registry
from deploy.local.layout import INFRASTRUCTURE, REPO, SERVICES, Layout, principal

STUBS = REPO / "services" / "_stubs"  # generated from proto/ by make
WORKERS = 2  # the second one of a service runs only when asked for: credit up --only identity-1
NO_ENVIRONMENT: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Program:
    """One supervised process."""

    name: str
    command: list[str]
    ports: tuple[int, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: NO_ENVIRONMENT)
    stop_signal: str = "TERM"
    on_demand: bool = False

    @property
    def infrastructure(self) -> bool:
        """True for what services stand on."""
        return self.name in INFRASTRUCTURE


def all_programs(layout: Layout) -> dict[str, Program]:
    """Every program this machine and this clone can run, in the order they are started."""
    found = [*_infrastructure(layout), *_surroundings(layout)]
    present = [name for name in SERVICES if (REPO / "services" / name / "__main__.py").exists()]
    found += [_service(layout, name, worker) for worker in range(WORKERS) for name in present]
    return {program.name: program for program in found}


def _infrastructure(layout: Layout) -> list[Program]:
    port, bound = layout.port, account.bound()
    return [
        Program("postgres", postgres.command(layout), (port("postgres"),), stop_signal="INT"),
        Program("kafka", [*bound, *broker.command(layout)], (port("kafka"), port("controller"))),
        Program("registry", [*bound, *registry.command(layout)], (port("registry"), port("registry-probe"))),
    ]


def _surroundings(layout: Layout) -> list[Program]:
    """The national platform's simulator and, where it is installed, Prometheus."""
    found: list[Program] = []
    if (REPO / "deploy" / "national_platform" / "__main__.py").exists():
        command = [*account.bound(), sys.executable, "-m", "deploy.national_platform"]
        found.append(Program("national", command, (layout.port("national"),), national_environment(layout)))
    if shutil.which("prometheus"):
        home = layout.var / "prometheus"
        command = [*account.bound(), "prometheus", f"--config.file={home / 'prometheus.yml'}"]
        command += [f"--storage.tsdb.path={home / 'data'}", f"--web.listen-address={layout.address('prometheus')}"]
        command += ["--storage.tsdb.retention.time=7d", "--log.level=warn"]
        found.append(Program("prometheus", command, (layout.port("prometheus"),)))
    return found


def _service(layout: Layout, name: str, worker: int) -> Program:
    command = [*account.bound(), sys.executable, "-m", f"services.{name}", "run"]
    ports = (layout.port(f"{name}.http", worker), layout.port(f"{name}.grpc", worker))
    label = name if worker == 0 else f"{name}-{worker}"
    return Program(label, command, ports, service_environment(layout, name, worker), on_demand=worker > 0)


def service_environment(layout: Layout, name: str, worker: int = 0) -> dict[str, str]:
    """What a process of a service is told."""
    return {
        "PYTHONPATH": str(STUBS),
        "CREDIT_SERVICE": name,
        "CREDIT_WORKER": str(worker),
        "CREDIT_KAFKA": layout.address("kafka"),
        "CREDIT_KAFKA_USER": principal(name),
        "CREDIT_KAFKA_PASSWORD_FILE": str(passwords.path_of(layout.secrets, principal(name))),
        "CREDIT_POSTGRES_DSN": layout.database(name),
        "CREDIT_POSTGRES_PASSWORD_FILE": str(passwords.path_of(layout.secrets, name)),
        "CREDIT_REGISTRY": layout.registry_url,
        "CREDIT_HTTP": layout.address(f"{name}.http", worker),
        "CREDIT_GRPC": layout.address(f"{name}.grpc", worker),
        "CREDIT_IDENTITY_GRPC": layout.address("identity.grpc"),
        "CREDIT_SECRETS": str(layout.secrets),
        "CREDIT_OPERATORS": str(operators.file_of(layout)),
        "CREDIT_NATIONAL_URL": f"https://{layout.address('national')}",
        "CREDIT_NATIONAL_CA": str(layout.var / "national" / "ca.pem"),
    }


def national_environment(layout: Layout) -> dict[str, str]:
    """What the simulator is told."""
    return {
        "CREDIT_NATIONAL_HTTP": layout.address("national"),
        "CREDIT_NATIONAL_FOLDER": str(layout.var / "national"),
    }
