-- A version may come after a newer one of its record: both are in one partition, but two lanes of ingestion may have
-- written them. Which versions have not come yet is what tells one that is late from one that comes again.
CREATE TABLE missing_versions (
    record_id bytea NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (record_id, version)
);
