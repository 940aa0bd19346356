-- Who records are about. Codes are those of organisations and sole traders; of persons nothing is kept here.

CREATE TABLE subjects (
    subject_id bytea PRIMARY KEY,
    kind text NOT NULL DEFAULT 'org' CHECK (kind IN ('org', 'sole_trader')),
    name text,
    named_at bigint NOT NULL DEFAULT 0,   -- produced_at of the registration that gave the name
    version bigint NOT NULL DEFAULT 0,    -- 0: the row is only a lock so far
    codes jsonb NOT NULL DEFAULT '[]'
) WITH (fillfactor = 80);

CREATE TABLE aliases (
    alias_id bytea PRIMARY KEY,
    kind text NOT NULL,
    subject_id bytea,                     -- NULL: records wait for it, or the row is only a lock so far
    source text NOT NULL DEFAULT '',      -- the item that brought it
    contested boolean NOT NULL DEFAULT false
) WITH (fillfactor = 80);

-- One row per linked record. The ids are hashes, so inserts are spread: partitions keep each index small.
CREATE TABLE record_links (
    record_id bytea PRIMARY KEY,
    subject_id bytea NOT NULL,
    version bigint NOT NULL,              -- the highest linked
    rule text NOT NULL,
    evidence text[] NOT NULL,             -- kinds, never codes
    linked_at timestamptz NOT NULL
) PARTITION BY HASH (record_id);

DO $$
BEGIN
    FOR i IN 0..7 LOOP
        EXECUTE format('CREATE TABLE record_links_%s PARTITION OF record_links FOR VALUES WITH (MODULUS 8, REMAINDER %s)', i, i);
    END LOOP;
END $$;

-- Partitioned by what became of them: what waits stays small however much was ever in review.
CREATE TABLE reviews (
    state text NOT NULL CHECK (state IN ('WAITING', 'LINKED', 'SUPERSEDED')),
    record_id bytea NOT NULL,
    version bigint NOT NULL,
    place bigint GENERATED ALWAYS AS IDENTITY, -- pages are read in this order
    reason text NOT NULL,
    alias_id bytea,                       -- the code that would help; NULL: none
    item text NOT NULL,
    agency text NOT NULL,
    code_kind text NOT NULL,
    accepted bytea,                       -- the RecordAccepted body; gone once settled, never kept of a person
    held_at timestamptz NOT NULL,
    settled_at timestamptz,
    PRIMARY KEY (state, record_id, version)
) PARTITION BY LIST (state);
CREATE TABLE reviews_waiting PARTITION OF reviews FOR VALUES IN ('WAITING');
CREATE TABLE reviews_settled PARTITION OF reviews FOR VALUES IN ('LINKED', 'SUPERSEDED') PARTITION BY HASH (record_id);
CREATE TABLE reviews_settled_0 PARTITION OF reviews_settled FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE reviews_settled_1 PARTITION OF reviews_settled FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE reviews_settled_2 PARTITION OF reviews_settled FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE reviews_settled_3 PARTITION OF reviews_settled FOR VALUES WITH (MODULUS 4, REMAINDER 3);
CREATE INDEX reviews_alias ON reviews (alias_id) WHERE state = 'WAITING';
CREATE INDEX reviews_record ON reviews (record_id, version);
CREATE INDEX reviews_place ON reviews (state, place);
