-- Lanes that the breaker has stopped. A lane stays stopped when its process is restarted or another one takes it over;
-- only an operator's command lets it go on.
CREATE TABLE stopped_lanes (
    topic text NOT NULL,
    partition integer NOT NULL,
    stopped_at timestamptz NOT NULL,
    PRIMARY KEY (topic, partition)
);
