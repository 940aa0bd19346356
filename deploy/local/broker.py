"""Apache Kafka on one node: KRaft, SCRAM for everybody, nothing allowed that no rule allows."""

from __future__ import annotations

import base64
import secrets
import subprocess
from pathlib import Path

from deploy.local import jars, passwords
from deploy.local.faults import StackFault
from deploy.local.layout import Layout

ADMIN = "platform-admin"
BROKER = "broker-1"
ITERATIONS = 16_384
JVM = ("-Xmx512m", "-Xms256m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "--enable-native-access=ALL-UNNAMED")

# The short session: a broker that was killed may register again only when the session of its predecessor has ended.
# The controller's door takes one user with a password of its own: SCRAM users live in the very log it writes.
PROPERTIES = """\
node.id=1
process.roles=broker,controller
controller.quorum.bootstrap.servers={controller}
listeners=CONTROLLER://{controller},SASL://{broker}
advertised.listeners=SASL://{broker}
inter.broker.listener.name=SASL
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:SASL_PLAINTEXT,SASL:SASL_PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
username="{user}" password="{password}";
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
username="{user}" password="{password}" user_{user}="{password}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:{user};User:{admin}
auto.create.topics.enable=false
log.dirs={data}
offsets.topic.num.partitions=8
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=16777216
log.retention.check.interval.ms=60000
num.recovery.threads.per.data.dir=2
"""


def prepare(layout: Layout) -> None:
    """Write the configuration; format the storage the first time."""
    data = layout.var / "kafka" / "data"
    properties = write_properties(layout, str(data))
    if not (data / "meta.properties").exists():
        _format(layout, properties)


def write_properties(layout: Layout, data: str) -> Path:
    """The broker's configuration; it holds a password."""
    text = PROPERTIES.format(
        controller=layout.address("controller"),
        broker=layout.address("kafka"),
        user=BROKER,
        password=passwords.password(layout.secrets, BROKER),
        admin=ADMIN,
        data=data,
    )
    file = layout.var / "kafka" / "server.properties"
    passwords.write_private(file, text)
    return file


def _java(layout: Layout, *options: str) -> list[str]:
    return [jars.java(), *options, "-cp", str(jars.folder(layout) / "*")]


def _format(layout: Layout, properties: Path) -> None:
    """The first users are part of the log's first record: without them nobody could ever log in."""
    cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    users = [f"--add-scram={scram(layout, user)}" for user in (ADMIN, BROKER)]
    arguments = ["format", "--standalone", f"--cluster-id={cluster}", f"--config={properties}", *users]
    command = [*_java(layout, "-XX:TieredStopAtLevel=1"), "kafka.tools.StorageTool", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
        raise StackFault(f"Kafka's storage could not be formatted ({lines[-1][:200]}): see {properties}")


def scram(layout: Layout, user: str) -> str:
    """A user as the storage tool wants to be told of it."""
    secret = passwords.password(layout.secrets, user)
    return f"SCRAM-SHA-512=[name={user},iterations={ITERATIONS},password={secret}]"


def command(layout: Layout) -> list[str]:
    """What the supervisor runs."""
    options = (*JVM, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true")
    return [*_java(layout, *options), "kafka.Kafka", str(layout.var / "kafka" / "server.properties")]
