"""How each peer is started; what each of them does and does not do stands beside its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.peers import fetching
from bench.peers.ground import KEY, NAME, TABLE, Ground
from deploy.local import jars, passwords
from deploy.local.layout import Layout

HEAP = ("-Xms256M", "-Xmx2G", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35")
CALM = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
NATIVE = "--enable-native-access=ALL-UNNAMED"  # zstd; without it the JVM warns
TUNED = {
    "batch.size": "3000",
    "use.reduction.buffer": "false",
    "consumer.override.max.poll.records": "5000",
    "consumer.override.max.partition.fetch.bytes": "4194304",
}


class Peer(NamedTuple):
    """A contestant: how many processes, the command, and variables beside the common ones."""

    name: str
    processes: int
    command: Sequence[str]
    environment: Mapping[str, str]


def common(ground: Ground, topic: str, run: str) -> dict[str, str]:
    """What every peer is told."""
    layout = ground.rig.layout
    return {
        "KAFKA": layout.address("kafka"),
        "KAFKA_USER": NAME,
        "KAFKA_PASSWORD": passwords.existing(layout.secrets, NAME),
        "REGISTRY": layout.registry_url,
        "TOPIC": topic,
        "RUN": run,
        "PG": layout.database(NAME),
        "PG_USER": NAME,
        "PG_PASSWORD": passwords.existing(layout.secrets, NAME),
        "INSERT": ground.insert,
    }


def python(ground: Ground, name: str) -> Peer:
    """`naive`: an aiokafka loop; `faust`: a Faust agent. One INSERT per event."""
    bin_folder = fetching.environment(ground.rig.layout)
    here = {"PYTHONPATH": str(fetching.HERE), "PATH": f"{bin_folder}:/usr/bin:/bin"}
    if name == "naive":
        return Peer(name, 1, [str(bin_folder / "python"), str(fetching.HERE / "naive_loop.py")], here)
    data = ground.rig.layout.var / "faust"
    worker = ["--datadir", str(data), "-A", "faust_agent", "worker", "-l", "warn", "--without-web"]
    return Peer(name, 1, [str(bin_folder / "faust"), *worker], here)


def java(ground: Ground, processes: int) -> Peer:
    """The plain consumer; rewritten batches, which are faster than the driver's default."""
    layout = ground.rig.layout
    folder, kafka = fetching.plain_java(layout), jars.folder(layout)
    client = layout.secrets / "bench-client.properties"
    passwords.write_private(client, _properties(_security(layout) | {"bootstrap.servers": layout.address("kafka")}))
    command = [jars.java(), "-Xmx512m", CALM, NATIVE, "-cp", f"{folder}:{folder}/*:{kafka}/*", "PlainConsumer"]
    more = {"CLIENT": str(client), "JDBC": _jdbc(layout, tuned=True)}
    return Peer(f"java_{processes}", processes, command, more)


def connect(ground: Ground, topic: str, run: str, tuned: bool, tasks: int) -> Peer:
    """Kafka Connect, stand-alone, with the Debezium JDBC sink."""
    layout = ground.rig.layout
    plugins, name = fetching.plugins(layout), f"connect_{'tuned' if tuned else 'default'}_{tasks}"
    folder = layout.var / "connect" / run
    worker = {
        **_security(layout),
        **{f"consumer.{key}": value for key, value in _security(layout).items()},
        "bootstrap.servers": layout.address("kafka"),
        "plugin.path": str(plugins),
        "offset.storage.file.filename": str(folder / "offsets"),
        "listeners": f"http://127.0.0.1:{layout.port_base + 83}",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "io.apicurio.registry.utils.converter.AvroConverter",
        "value.converter.apicurio.registry.url": f"http://{layout.address('registry')}/apis/registry/v2",
        "value.converter.apicurio.registry.as-confluent": "true",
        "value.converter.apicurio.registry.use-id": "contentId",
    }
    sink = {
        "name": f"bench-{run}",
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
        "tasks.max": str(tasks),
        "topics": topic,
        "connection.url": _jdbc(layout, tuned),
        "connection.username": NAME,
        "connection.password": passwords.existing(layout.secrets, NAME),
        "insert.mode": "upsert",
        "primary.key.mode": "record_value",
        "primary.key.fields": KEY,
        "schema.evolution": "none",
        "collection.name.format": TABLE,
        **(TUNED if tuned else {}),
    }
    files = [folder / "worker.properties", folder / "sink.properties"]
    for file, settings in zip(files, (worker, sink), strict=True):
        passwords.write_private(file, _properties(settings))
    program = ["-cp", f"{jars.folder(layout)}/*", "org.apache.kafka.connect.cli.ConnectStandalone"]
    return Peer(name, 1, [jars.java(), *HEAP, CALM, NATIVE, *program, *map(str, files)], {})


def _security(layout: Layout) -> dict[str, str]:
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    secret = passwords.existing(layout.secrets, NAME)
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": f'{module} required username="{NAME}" password="{secret}";',
    }


def _jdbc(layout: Layout, tuned: bool) -> str:
    option = "?reWriteBatchedInserts=true" if tuned else ""
    return f"jdbc:postgresql://{layout.address('postgres')}/{NAME}{option}"


def _properties(settings: Mapping[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in settings.items())
