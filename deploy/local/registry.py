"""Apicurio Registry on PostgreSQL, spoken to through its Confluent-compatible API."""

from __future__ import annotations

import json
import urllib.request

from deploy.local import jars, passwords
from deploy.local.faults import StackFault
from deploy.local.layout import Layout

DATABASE = "apicurio"
JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")
COMPATIBILITY = "FULL_TRANSITIVE"

# Ids on the wire are content ids (legacy-id-mode off, for ever): they are what /schemas/ids/{id} answers to, and one
# schema has one id however many agencies' topics it is registered for. They are inside every message ever written.
PROPERTIES = """\
quarkus.http.host={host}
quarkus.http.port={port}
quarkus.management.host={host}
quarkus.management.port={probe}
quarkus.http.access-log.enabled=false
quarkus.log.category."io.apicurio".level=WARN
quarkus.log.console.format=%d{{yyyy-MM-dd HH:mm:ss}} %p %c %m%n
apicurio.storage.kind=sql
apicurio.storage.sql.kind=postgresql
apicurio.datasource.url=jdbc:postgresql://{database}/{name}
apicurio.datasource.username={name}
apicurio.datasource.password={password}
apicurio.datasource.jdbc.initial-size=2
apicurio.datasource.jdbc.min-size=2
apicurio.datasource.jdbc.max-size=10
apicurio.ccompat.legacy-id-mode.enabled=false
apicurio.ccompat.legacy-id-mode.enabled.dynamic.allow=false
apicurio.ccompat.max-subjects=100000
apicurio.rest.deletion.artifact-version.enabled=false
"""


def prepare(layout: Layout, host: str = "127.0.0.1") -> None:
    """Write the configuration."""
    text = PROPERTIES.format(
        host=host,
        port=layout.port("registry"),
        probe=layout.port("registry-probe"),
        database=layout.address("postgres"),
        name=DATABASE,
        password=passwords.password(layout.secrets, DATABASE),
    )
    passwords.write_private(layout.var / "registry" / "application.properties", text)


def command(layout: Layout) -> list[str]:
    """What the supervisor runs."""
    settings = f"-Dquarkus.config.locations={layout.var / 'registry' / 'application.properties'}"
    return [jars.java(), *JVM, settings, "-jar", str(jars.folder(layout) / "registry" / "quarkus-run.jar")]


def ready(layout: Layout) -> bool:
    """True once the registry answers."""
    try:
        with urllib.request.urlopen(f"{layout.registry_url}/config", timeout=2) as answer:  # noqa: S310 - our own
            return answer.status == 200
    except (OSError, ValueError):
        return False


def set_rules(layout: Layout) -> None:
    """Every subject, also those to come, accepts only editions that all earlier and later readers can read."""
    body = json.dumps({"compatibility": COMPATIBILITY}).encode()
    headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    request = urllib.request.Request(f"{layout.registry_url}/config", body, headers, method="PUT")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            return
    except OSError as error:  # a refusal, or no answer in time
        raise StackFault(f"the registry does not take its global rule ({error}): credit logs registry") from None
