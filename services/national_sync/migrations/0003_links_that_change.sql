-- Whether a record is about somebody known can change without a new version of it. Both are counted, and a push is told
-- apart by their sum. A row of version 0 holds a link that was lost before any version came; it may be of any item.
ALTER TABLE exchanges
    ADD COLUMN link_no bigint NOT NULL DEFAULT 0,      -- of the last time that its link was lost or found again; 0: never
    ADD COLUMN nobodys boolean NOT NULL DEFAULT false; -- it was linked, and is about nobody known now

-- Wider than before, so what stands need not be read.
ALTER TABLE exchanges DROP CONSTRAINT exchanges_state_check;
ALTER TABLE exchanges ADD CONSTRAINT exchanges_state_check
    CHECK (state IN ('PENDING', 'ACKNOWLEDGED', 'REFUSED', 'RETRYING') OR (state = 'UNKNOWN' AND version = 0)) NOT VALID;
