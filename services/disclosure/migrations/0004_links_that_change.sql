-- Whose a record is can change without a new version of it. Both are counted: the highest number stands.

ALTER TABLE record_standing
    ADD COLUMN link_no bigint NOT NULL DEFAULT 0,      -- 0: whose it is, its versions say
    ADD COLUMN nobodys boolean NOT NULL DEFAULT false; -- it was linked, and is about nobody known now

-- Who stands for a subject since the two were found to be the same; that one may be merged itself.
ALTER TABLE subjects ADD COLUMN merged_into bytea;
