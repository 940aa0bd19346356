-- One random key for each person (architecture §7). Rows are made when a person is first asked for, by the question and
-- not by a message: a key that travelled as a message would lie in a topic and in a journal after its destruction.
-- So these two tables do not follow from the lanes and are not replayed; the tombstones and rotations below are.

-- Under which key-encryption key keys are wrapped now. Whoever makes a key holds this row FOR SHARE.
CREATE TABLE kek (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    kek_id text NOT NULL
);

-- The row of an erased person stays, without a key: whoever comes second, the question or the erasure, meets the other.
CREATE TABLE person_keys (
    subject_id bytea PRIMARY KEY,
    wrapped bytea,                        -- NULL: destroyed, for ever
    kek_id text,
    made_at bigint NOT NULL,              -- milliseconds since 1970; of a row without a key: when it was destroyed
    CHECK ((wrapped IS NULL) = (kek_id IS NULL))
) PARTITION BY HASH (subject_id);

DO $$
BEGIN
    FOR i IN 0..7 LOOP
        EXECUTE format('CREATE TABLE person_keys_%s PARTITION OF person_keys FOR VALUES WITH (MODULUS 8, REMAINDER %s) WITH (fillfactor = 80)', i, i);
    END LOOP;
END $$;
CREATE INDEX person_keys_kek ON person_keys (kek_id); -- what is still to be wrapped anew

CREATE TABLE erasures (
    subject_id bytea PRIMARY KEY,
    command_id text NOT NULL,
    issued_by text NOT NULL,
    reason text NOT NULL,
    erased_at bigint NOT NULL             -- milliseconds since 1970
);

CREATE TABLE key_rotations (
    number bigint PRIMARY KEY,            -- 1, 2, 3 …; the last one stands
    kek_id text NOT NULL UNIQUE,
    command_id text NOT NULL,
    rotated_at bigint NOT NULL            -- milliseconds since 1970
);
