"""Invented registrations and submissions for demonstrations and benchmarks: no real name, address or code."""
