"""identity: who a record is about."""
