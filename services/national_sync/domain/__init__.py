"""Pure: the ledger of one record's exchange, and the mapping to the national field names."""
