"""Avro <-> domain, both ways; one file for each kind of message."""
