"""Avro <-> domain, both ways."""
