"""Ingestion: what agencies submit is read, checked against the catalogue, answered and passed on."""
