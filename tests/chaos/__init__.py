"""Faults on purpose, and an independent verifier that says whether every record is still accounted for."""
