"""Sends one record to creditbus and prints the receipt: a complete sender, to be taken apart and made your own.

    pip install "confluent-kafka[avro,schemaregistry]>=2.6.1"
    python send.py [RECORD.json]

agency.properties beside this file says who you are and where the bus is; the password is in the file it names.
Exit code 0: ACCEPTED or DUPLICATE. 1: REFUSED, and the faults say what to mend. 2: no final receipt within a minute.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

HERE = Path(__file__).parent
WAIT_S = 60


def main() -> int:
    """Send, wait, print."""
    settings = properties(HERE / "agency.properties")
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / settings["record"]
    record = json.loads(file.read_text(encoding="utf-8"))
    # Each message has an id of its own, and says when your system made it. record_no is what names the record for ever:
    # a refused record is sent again under the same record_no and a new submission_id.
    record |= {"submission_id": secrets.token_hex(16), "produced_at": time.time_ns() // 1_000_000}
    receipts = listen(settings)
    publish(settings, record)
    receipt = wait_for(settings, receipts, record["submission_id"])
    if receipt is None:
        sys.stderr.write(f"no final receipt of {record['submission_id']} within {WAIT_S} s: it may still come\n")
        return 2
    sys.stdout.write(json.dumps(receipt, ensure_ascii=False, default=str) + "\n")
    return 1 if receipt["outcome"] == "REFUSED" else 0


def properties(file: Path) -> dict[str, str]:
    """name=value lines; # begins a comment."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def connection(settings: dict[str, str]) -> dict[str, Any]:
    """What every client of the bus needs."""
    return {
        "bootstrap.servers": settings["bootstrap.servers"],
        "security.protocol": settings["security.protocol"],
        "sasl.mechanism": settings["sasl.mechanism"],
        "sasl.username": settings["agency"],
        "sasl.password": Path(settings["password.file"]).read_text(encoding="utf-8").strip(),
    }


def publish(settings: dict[str, str], record: dict[str, Any]) -> None:
    """Encode with the newest schema of the catalogue item and wait until the broker has it."""
    registry = SchemaRegistryClient({"url": settings["schema.registry.url"]})

    def subject(context: object, name: object) -> str:
        return f"cn.hubei.credit.item.{record['item']}"

    options: dict[str, Any] = {
        "auto.register.schemas": False,  # the catalogue's schemas are there; you never register one
        "use.latest.version": True,
        "subject.name.strategy": subject,
    }
    encode = cast(Any, AvroSerializer)(registry, conf=options)
    topic = f"credit.submit.{settings['agency']}.v1"
    value = encode(record, SerializationContext(topic, MessageField.VALUE))
    failed: list[KafkaError] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        failed.extend([error] if error is not None else [])

    producer = Producer(connection(settings) | {"enable.idempotence": True})
    producer.produce(topic, value, record["record_no"], on_delivery=delivered)  # the key is the record_no
    if producer.flush(30) or failed:
        raise SystemExit(f"the broker did not take it ({failed or 'no answer'}): send it again, that is harmless")


def listen(settings: dict[str, str]) -> Any:
    """A consumer that stands at the end of the receipts, before anything is sent."""
    wanted = {"group.id": f"{settings['agency']}.sample", "enable.auto.commit": False}
    consumer: Any = Consumer(connection(settings) | wanted)
    topic = f"credit.receipts.{settings['agency']}.v1"
    partitions = [TopicPartition(topic, n) for n in consumer.list_topics(topic, timeout=30).topics[topic].partitions]
    for partition in partitions:
        partition.offset = consumer.get_watermark_offsets(partition, timeout=30)[1]
    consumer.assign(partitions)
    return consumer


def wait_for(settings: dict[str, str], receipts: Any, submission_id: str) -> dict[str, Any] | None:
    """The final receipt; WAITING is not final, another one follows it."""
    decode = cast(Any, AvroDeserializer)(SchemaRegistryClient({"url": settings["schema.registry.url"]}))
    give_up = time.monotonic() + WAIT_S
    try:
        while time.monotonic() < give_up:
            message = receipts.poll(1.0)
            if message is None or message.error() is not None:
                continue
            receipt = decode(message.value(), SerializationContext(message.topic(), MessageField.VALUE))
            if receipt["submission_id"] == submission_id and receipt["outcome"] != "WAITING":
                return receipt
    finally:
        receipts.close()
    return None


if __name__ == "__main__":
    sys.exit(main())
