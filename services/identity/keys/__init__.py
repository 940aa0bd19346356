"""The keys of natural persons: made once, wrapped, handed to ingestion for a batch, destroyed for ever."""
