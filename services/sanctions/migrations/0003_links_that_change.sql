-- Whose a record is can change without a new version of it. Both are counted: the highest number stands. A row of version
-- 0 may hold a link that changed before any version came.
ALTER TABLE listings
    ADD COLUMN link_no bigint NOT NULL DEFAULT 0,
    ADD COLUMN nobodys boolean NOT NULL DEFAULT false; -- it was linked, and is about nobody known now
