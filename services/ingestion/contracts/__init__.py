"""Avro and domain, both ways: submissions in; records, receipts and reference data out."""
