"""Aggregates in and out of PostgreSQL, many at a time, inside the caller's transaction."""
