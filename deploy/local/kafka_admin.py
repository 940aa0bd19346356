"""Brings the broker to what topics.toml says: topics, users, rights, quotas. Applying it again changes nothing."""

# pyright: reportPrivateImportUsage=false
# The library re-exports its own classes without saying so.

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from deploy.local import passwords, quotas, topics
from deploy.local.broker import ADMIN, ITERATIONS
from deploy.local.faults import StackFault
from deploy.local.layout import Layout

TIMEOUT_S = 20.0


def client(layout: Layout, principal: str = ADMIN) -> Any:
    """An administrator's connection; Any, since the library types its answers wrongly or not at all."""
    return AdminClient(connection(layout, principal) | {"log_level": 0})


def connection(layout: Layout, principal: str) -> dict[str, Any]:
    """librdkafka's settings for a principal whose password lies in the secrets folder."""
    return {
        "bootstrap.servers": layout.address("kafka"),
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": principal,
        "sasl.password": passwords.existing(layout.secrets, principal),
    }


def ready(layout: Layout) -> bool:
    """True once the administrator can log in."""
    try:
        client(layout).list_topics(timeout=2)
    except KafkaException:
        return False
    return True


def onboard_agency(code: str, layout: Layout | None = None) -> str:
    """Topics, user, rights and quota of an agency; returns the path of the file with its password."""
    layout = layout or Layout.from_environment()
    apply(layout, topics.agency(code))
    return str(passwords.path_of(layout.secrets, code))


def quota_of(code: str, layout: Layout) -> Mapping[str, int]:
    """The quota of an agency by Kafka's names; empty: none."""
    return quotas.of(layout, ADMIN, code)


def onboard_subscriber(name: str, feeds: Iterable[str], layout: Layout | None = None) -> str:
    """User and rights of a downstream subscriber; returns the path of the file with its password."""
    layout = layout or Layout.from_environment()
    apply(layout, topics.subscriber(name, feeds))
    return str(passwords.path_of(layout.secrets, name))


def apply(layout: Layout, plan: topics.Plan) -> None:
    """Make what is missing; raises `StackFault`."""
    admin = client(layout)
    try:
        _make_topics(admin, plan.topics)
        _make_users(admin, layout, plan.principals)
        _make_rules(admin, plan.rules)
    except KafkaException as error:
        reason = error.args[0].str() if isinstance(error.args[0], KafkaError) else str(error)
        raise StackFault(
            f"Kafka does not take the topics and rights ({reason}): credit status; credit logs kafka"
        ) from None
    quotas.apply(layout, ADMIN, plan.quotas)


def _make_topics(admin: Any, wanted: Iterable[topics.Topic]) -> None:
    known = admin.list_topics(timeout=TIMEOUT_S).topics
    missing = [topic for topic in wanted if topic.name not in known]
    for topic in wanted:
        if topic.name in known and len(known[topic.name].partitions) != topic.partitions:
            raise StackFault(
                f"{topic.name} has {len(known[topic.name].partitions)} partitions and topics.toml says "
                f"{topic.partitions}: the count never changes, correct the file"
            )
    new = [NewTopic(topic.name, topic.partitions, 1, config=dict(topic.settings)) for topic in missing]
    if new:
        _finish(admin.create_topics(new, operation_timeout=TIMEOUT_S), KafkaError.TOPIC_ALREADY_EXISTS)
    _set_retention(admin, [topic for topic in wanted if topic.name in known])


def _set_retention(admin: Any, known: list[topics.Topic]) -> None:
    """What the file says of a topic counts, also when the file has changed since."""
    resources = [
        ConfigResource(
            ConfigResource.Type.TOPIC,
            topic.name,
            incremental_configs=[
                ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                for name, value in topic.settings.items()
            ],
        )
        for topic in known
    ]
    if resources:
        _finish(admin.incremental_alter_configs(resources))


def _make_users(admin: Any, layout: Layout, principals: Iterable[str]) -> None:
    """The password files count: whatever the broker held before is replaced."""
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
    secrets = {name: passwords.password(layout.secrets, name).encode() for name in principals}
    changes = [UserScramCredentialUpsertion(name, info, secret) for name, secret in secrets.items()]
    _finish(admin.alter_user_scram_credentials(changes))


def _make_rules(admin: Any, rules: Iterable[topics.Rule]) -> None:
    _finish(admin.create_acls([_binding(rule) for rule in rules]))


def _binding(rule: topics.Rule) -> AclBinding:
    return AclBinding(
        ResourceType[rule.kind],
        rule.name,
        ResourcePatternType.PREFIXED if rule.prefixed else ResourcePatternType.LITERAL,
        f"User:{rule.principal}",
        "*",
        AclOperation[rule.operation],
        AclPermissionType.ALLOW,
    )


def rules_in_force(layout: Layout) -> frozenset[topics.Rule]:
    """What the broker holds, to be compared with the file: a difference is drift."""
    anything: Any = None
    everything = AclBindingFilter(
        ResourceType.ANY, anything, ResourcePatternType.ANY, anything, anything, AclOperation.ANY, AclPermissionType.ANY
    )
    admin = client(layout)  # kept: an answer dies with its client
    found: Any = admin.describe_acls(everything).result(TIMEOUT_S)
    return frozenset(_rule(binding) for binding in found)


def _rule(binding: Any) -> topics.Rule:
    operation = binding.operation.name
    if binding.permission_type is not AclPermissionType.ALLOW or binding.host != "*":
        operation = f"{binding.permission_type.name} {operation} FROM {binding.host}"  # never ours: shows as drift
    prefixed = binding.resource_pattern_type is ResourcePatternType.PREFIXED
    return topics.Rule(binding.principal.removeprefix("User:"), operation, binding.restype.name, binding.name, prefixed)


def _finish(futures: dict[Any, Future[Any]], *harmless: int) -> None:
    for future in futures.values():
        try:
            future.result(TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() not in harmless:
                raise
