-- A record that goes out at once is entered in one index and not in two.
DROP INDEX exchanges_waiting;
CREATE INDEX exchanges_retrying ON exchanges (waiting_since) WHERE state = 'RETRYING';

-- What the agency sent is kept until the platform has answered for good: it need not be copied with that answer, and
-- nobody may keep it longer than it is needed.
ALTER TABLE exchanges ALTER COLUMN submission DROP NOT NULL;
