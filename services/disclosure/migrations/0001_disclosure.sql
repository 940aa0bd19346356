-- What grows with records, subjects or questions is partitioned from the first day.

-- Which fields an edition of a catalogue item lets us show; names_subject: those that repeat the subject's name or code.
CREATE TABLE catalogue (
    code text NOT NULL,
    version integer NOT NULL,
    fields text[] NOT NULL,
    names_subject boolean[] NOT NULL,
    PRIMARY KEY (code, version)
);
CREATE TABLE catalogue_revision (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    number bigint NOT NULL
);
INSERT INTO catalogue_revision (number) VALUES (0);

-- Where a record stands now: its newest version and whose it is. Also of what no feed may show, and of what is withdrawn.
CREATE TABLE record_standing (
    record_id bytea PRIMARY KEY,
    version bigint NOT NULL,
    subject_id bytea NOT NULL,
    withdrawn boolean NOT NULL
) PARTITION BY HASH (record_id);

-- What is shown. A record that is withdrawn or may not be shown any more has no row: its content is not kept here.
CREATE TABLE disclosed_records (
    subject_id bytea NOT NULL,
    record_id bytea NOT NULL,
    version bigint NOT NULL,
    in_public boolean NOT NULL,
    in_government boolean NOT NULL,
    item text NOT NULL,
    item_version integer NOT NULL,
    agency text NOT NULL,
    submission_id text NOT NULL,
    subject_code text,
    subject_name text,
    decided_on date NOT NULL,
    accepted_at timestamptz NOT NULL,
    fields bytea NOT NULL,          -- JSON object, field code -> text
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (subject_id, record_id),
    CHECK (in_public OR in_government),
    CHECK (in_government OR NOT in_public)  -- whatever the public may see, the government may see
) PARTITION BY HASH (subject_id);

-- The last subject_seq on each feed.
CREATE TABLE subject_files (
    subject_id bytea PRIMARY KEY,
    public_seq bigint NOT NULL,
    government_seq bigint NOT NULL
) PARTITION BY HASH (subject_id);

-- Names and codes of organisations and sole traders, as identity tells them.
CREATE TABLE subjects (
    subject_id bytea PRIMARY KEY,
    version bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('org', 'sole_trader')),
    name text,
    code_kinds text[] NOT NULL,
    codes text[] NOT NULL,
    changed_at timestamptz NOT NULL
) PARTITION BY HASH (subject_id);

-- Look-up by code; two subjects may claim one old code, then the answer is that it is ambiguous.
CREATE TABLE subject_codes (
    kind text NOT NULL,
    code text NOT NULL,
    subject_id bytea NOT NULL,
    PRIMARY KEY (code, kind, subject_id)
) PARTITION BY HASH (code);

-- Who looked at whom and what for. One chain per process; a row is durable before the answer leaves.
CREATE TABLE audit (
    chain text NOT NULL,
    seq bigint NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    at_ms bigint NOT NULL,
    caller text NOT NULL,
    channel text NOT NULL,
    purpose text NOT NULL,
    method text NOT NULL,
    subject_id bytea,
    outcome text NOT NULL,
    PRIMARY KEY (chain, seq)
) PARTITION BY HASH (seq);

DO $$
DECLARE parent text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['record_standing', 'disclosed_records', 'subject_files', 'subjects', 'subject_codes',
                                  'audit'] LOOP
        FOR i IN 0..7 LOOP
            EXECUTE format('CREATE TABLE %1$s_%2$s PARTITION OF %1$s FOR VALUES WITH (MODULUS 8, REMAINDER %2$s)',
                           parent, i);
        END LOOP;
    END LOOP;
END $$;

-- Not a lock against the owner of the database, but no statement of this service can change a row by mistake.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
