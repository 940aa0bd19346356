"""Pure rules of ingestion: catalogue items, validators, records; no clock, no chance, no I/O."""
