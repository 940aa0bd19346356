"""Loads and saves aggregates, many at a time, inside the caller's transaction."""
