-- Records as they stand. The key keeps locality: an agency's bulk load goes to one partition and one end of its index.
CREATE TABLE records (
    agency text COLLATE "C" NOT NULL,
    item text COLLATE "C" NOT NULL,
    record_no text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    withdrawn boolean NOT NULL,
    produced_at bigint NOT NULL,       -- milliseconds since 1970
    accepted_at bigint NOT NULL,
    item_version integer NOT NULL,
    schema_id integer NOT NULL,
    record_id bytea NOT NULL,
    content bytea NOT NULL,            -- 16-byte hash of what the record says
    seen bytea NOT NULL,               -- 8-byte hashes of the last submissions
    submission bytea NOT NULL,         -- the framed submission of the standing version, as it came
    PRIMARY KEY (agency, item, record_no)
) PARTITION BY HASH (agency);

DO $$
BEGIN
    FOR i IN 0..7 LOOP
        EXECUTE format('CREATE TABLE records_%s PARTITION OF records FOR VALUES WITH (MODULUS 8, REMAINDER %s)', i, i);
        -- Submissions are small and mostly unlike each other: compressing each alone costs more than it saves.
        EXECUTE format('ALTER TABLE records_%s ALTER COLUMN submission SET STORAGE EXTERNAL', i);
    END LOOP;
END $$;

CREATE TABLE agencies (
    code text COLLATE "C" PRIMARY KEY,
    name_zh text NOT NULL,
    region text NOT NULL,
    items text[] NOT NULL,
    commands text[] NOT NULL           -- the last commands, so that a repeated one is answered as it was
);

CREATE TABLE catalogue (
    code text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    definition text NOT NULL,          -- canonical JSON; read by code, never searched
    schema_id integer NOT NULL,
    PRIMARY KEY (code, version)
);

-- One row; whoever changes agencies or catalogue raises the number, and every process reads them anew.
CREATE TABLE reference_revision (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), number bigint NOT NULL);
INSERT INTO reference_revision (number) VALUES (0);
