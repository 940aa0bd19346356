-- Who holds which office in an organisation, as far as records say. No name is kept: the record that says it is
-- referred to, and a keyed digest, another one for each organisation and office, tells whether the name changed.
-- One row for each version that brought one; which of those that have not ended stands follows on reading.
CREATE TABLE relations (
    record_id bytea NOT NULL,
    version bigint NOT NULL,
    organisation bytea NOT NULL,          -- subject id
    role text NOT NULL CHECK (role IN ('LEGAL_REPRESENTATIVE', 'HEAD', 'OWNER', 'RESPONSIBLE_PERSON')),
    name_digest bytea,                    -- where a name is all that the record gives; never indexed
    person_id bytea,                      -- where a document says who it is: a subject id
    said_at bigint NOT NULL,              -- produced_at of the version, milliseconds since 1970
    item text NOT NULL,
    agency text NOT NULL,
    ended_as text CHECK (ended_as IN ('CORRECTED', 'WITHDRAWN', 'UNLINKED')),
    ended_by bigint,                      -- the version of the same record that ended it; NULL: the loss of its link
    ended_at bigint,                      -- milliseconds since 1970
    PRIMARY KEY (record_id, version),
    CHECK ((ended_as IS NULL) = (ended_at IS NULL)),
    CHECK (ended_as IS NOT NULL OR (name_digest IS NULL) <> (person_id IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX relations_organisation ON relations (organisation);
-- For the erasure of a person; there is no question that begins with a person.
CREATE INDEX relations_person ON relations (person_id) WHERE person_id IS NOT NULL;
