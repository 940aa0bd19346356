-- One row per record, and one per answer, both partitioned: they grow with the records.

CREATE TABLE exchanges (
    record_id bytea NOT NULL,
    version bigint NOT NULL,
    item text NOT NULL,
    action text NOT NULL CHECK (action IN ('put', 'delete')),
    state text NOT NULL CHECK (state IN ('PENDING', 'ACKNOWLEDGED', 'REFUSED', 'RETRYING')),
    attempt integer NOT NULL,
    held_version bigint NOT NULL,     -- the newest version that the platform acknowledged ...
    held boolean NOT NULL,            -- ... and whether it holds the record since
    submission bytea NOT NULL,        -- as the agency sent it; mapped when it is pushed
    waiting_since timestamptz NOT NULL, -- when this version first had to be pushed
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (record_id)
) PARTITION BY HASH (record_id);
CREATE INDEX exchanges_pending ON exchanges (waiting_since) WHERE state = 'PENDING';
CREATE INDEX exchanges_waiting ON exchanges (waiting_since) WHERE state IN ('PENDING', 'RETRYING');

-- Append only.
CREATE TABLE answers (
    record_id bytea NOT NULL,
    version bigint NOT NULL,
    attempt integer NOT NULL,
    verdict text NOT NULL,
    code text NOT NULL,
    text text NOT NULL,
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (record_id, version, attempt, verdict)
) PARTITION BY HASH (record_id);

DO $$
BEGIN
    FOR i IN 0..7 LOOP
        EXECUTE format('CREATE TABLE exchanges_%s PARTITION OF exchanges FOR VALUES WITH (MODULUS 8, REMAINDER %s)', i, i);
        EXECUTE format('CREATE TABLE answers_%s PARTITION OF answers FOR VALUES WITH (MODULUS 8, REMAINDER %s)', i, i);
    END LOOP;
END $$;
