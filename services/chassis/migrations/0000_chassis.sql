-- The chassis' own tables: lanes, outbox (which is also the journal), parking, timers.

CREATE TABLE incarnation (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    number integer NOT NULL  -- raised when the store is restored from a backup
);
INSERT INTO incarnation (number) VALUES (1);

CREATE TABLE origins (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);

CREATE TABLE lanes (
    topic text NOT NULL,
    partition integer NOT NULL,
    epoch bigint NOT NULL,
    next_offset bigint NOT NULL,      -- -1: never read
    position bigint NOT NULL,         -- of the last event this lane has said
    published bigint NOT NULL,        -- of the last event known to be in Kafka
    attempts integer NOT NULL,        -- claims since the lane last moved
    origin_ids integer[] NOT NULL,    -- who has been heard in this lane ...
    origin_positions bigint[] NOT NULL, -- ... and up to which of his positions
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

CREATE TABLE outbox (
    topic text NOT NULL,
    partition integer NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    created_at timestamptz NOT NULL,
    blob bytea NOT NULL
) PARTITION BY RANGE (created_at);
-- The blob is compressed already: a second, slower compression by the server would cost 6 µs a record.
ALTER TABLE outbox ALTER COLUMN blob SET STORAGE EXTERNAL;
CREATE INDEX outbox_lane ON outbox (topic, partition, last_position);

CREATE TABLE parked (
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    key bytea NOT NULL,
    value bytea,
    headers jsonb NOT NULL,
    message_at timestamptz NOT NULL,
    code text NOT NULL,
    detail text NOT NULL,
    parked_at timestamptz NOT NULL,
    released_at timestamptz,
    PRIMARY KEY (topic, partition, "offset")
);
CREATE INDEX parked_key ON parked (topic, partition, key, "offset");

CREATE TABLE timers (
    topic text NOT NULL,
    partition integer NOT NULL,
    kind text NOT NULL,
    key bytea NOT NULL,
    due_at timestamptz NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (topic, partition, kind, key)
);
CREATE INDEX timers_due ON timers (due_at);
