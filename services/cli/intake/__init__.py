"""The file door: tables of records become submissions, and every row gets its answer beside it."""
