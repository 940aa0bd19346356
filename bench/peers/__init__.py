"""What a team would otherwise pick: Kafka Connect, a plain Java consumer, a Faust agent, an aiokafka loop."""
