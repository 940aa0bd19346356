-- What each agency has sent of each item, day by day: one row a lane, so that lanes never wait for each other. It grows
-- with days, not with records. The day comes first: what is asked for is the last weeks.
CREATE TABLE feeds (
    day integer NOT NULL,              -- in China, since 1970
    agency text COLLATE "C" NOT NULL,
    item text COLLATE "C" NOT NULL,    -- 'unknown': of no published item
    partition integer NOT NULL,        -- of the submit topic
    accepted bigint NOT NULL,
    duplicate bigint NOT NULL,
    refused bigint NOT NULL,
    late_unit bigint NOT NULL,         -- of the accepted reports: a lower unit gave it to the agency too late
    late_agency bigint NOT NULL,       -- the agency gave it to the platform too late
    first_at bigint NOT NULL,          -- milliseconds since 1970
    last_at bigint NOT NULL,
    earliest_decided integer,          -- of those that must be public by a day that had not passed when they came
    PRIMARY KEY (day, agency, item, partition)
) WITH (fillfactor = 50);              -- a row of today is written by every batch: room on its page keeps the index out

-- What operators expect: so many records in so many working days.
CREATE TABLE feed_expectations (
    agency text COLLATE "C" NOT NULL,
    item text COLLATE "C" NOT NULL,
    records integer NOT NULL,
    days integer NOT NULL,
    since integer NOT NULL,            -- the day it was said
    commands text[] NOT NULL,
    PRIMARY KEY (agency, item)
);
