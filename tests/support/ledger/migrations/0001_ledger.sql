CREATE TABLE ledger (
    key bytea PRIMARY KEY,
    entries bigint NOT NULL,
    total bigint NOT NULL
);
