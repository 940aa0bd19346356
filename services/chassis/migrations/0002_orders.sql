-- What operators order about parked messages: who, when, why. An order is kept for ever, so that it is answered alike
-- when it comes again.
CREATE TABLE orders (
    command_id text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('release', 'discard')),
    issued_by text NOT NULL,
    reason text NOT NULL,
    messages integer NOT NULL,        -- that were found parked
    decided_at timestamptz NOT NULL
);

ALTER TABLE parked ADD COLUMN discarded_at timestamptz, ADD COLUMN discarded_by text REFERENCES orders;

-- A message that was thrown away: everything but what it said.
CREATE TABLE discarded (
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    code text NOT NULL,
    message_at timestamptz NOT NULL,
    parked_at timestamptz NOT NULL,
    discarded_at timestamptz NOT NULL,
    value_hash bytea NOT NULL,
    command_id text NOT NULL REFERENCES orders,
    PRIMARY KEY (topic, partition, "offset", discarded_at)
);
