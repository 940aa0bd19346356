-- Subjects are merged and taken apart, and codes are taken back: the links of records change without a new version.

-- Who stands for a subject since the two were found to be the same; that one may be merged itself. Records keep the
-- subject that their code names: to take two apart is to forget this column.
ALTER TABLE subjects ADD COLUMN merged_into bytea;
CREATE INDEX subjects_merged ON subjects (merged_into) WHERE merged_into IS NOT NULL;

-- Of all changes of links so far. Who changes links is alone in the store (store/locks.py), so it rises without gaps.
CREATE TABLE link_number (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    number bigint NOT NULL
);
INSERT INTO link_number (number) VALUES (0);

-- The number under which a record was linked again after it had been nobody's; 0: it never was.
ALTER TABLE record_links ADD COLUMN link_no bigint NOT NULL DEFAULT 0;
ALTER TABLE reviews
    ADD COLUMN link_no bigint NOT NULL DEFAULT 0,
    ADD COLUMN claimed_by text,           -- a reviewer, until
    ADD COLUMN claimed_until bigint,      -- ms since 1970
    ADD COLUMN proposed_by text,          -- who decided first where two are needed, and
    ADD COLUMN proposed text;             -- what

-- What each mapping that is linked claims now; two may claim the same.
CREATE TABLE mappings (
    record_id bytea PRIMARY KEY,
    alias_id bytea NOT NULL,
    subject_id bytea NOT NULL,
    kind text NOT NULL,
    code text NOT NULL                    -- empty: it may be a person's and is not kept
);
CREATE INDEX mappings_alias ON mappings (alias_id);

-- Records that an old code linked, with their newest version: when the code is taken back they are judged again.
CREATE TABLE code_links (
    record_id bytea PRIMARY KEY,
    alias_id bytea NOT NULL,
    version bigint NOT NULL,
    accepted bytea NOT NULL               -- the RecordAccepted body
);
CREATE INDEX code_links_alias ON code_links (alias_id);

-- What people said of pairs of subjects, one after the other; never changed.
CREATE TABLE judgements (
    number bigint PRIMARY KEY,
    verdict text NOT NULL CHECK (verdict IN ('SAME', 'NOT_SAME', 'UNSURE', 'MERGED', 'UNMERGED')),
    one bytea NOT NULL,                   -- MERGED, UNMERGED: who stands for the other
    other bytea NOT NULL,
    issued_by text NOT NULL,
    reason text NOT NULL,
    judged_at bigint NOT NULL
);
CREATE INDEX judgements_one ON judgements (one);
CREATE INDEX judgements_other ON judgements (other);

-- What people decided about versions in review; never changed.
CREATE TABLE decisions (
    command_id text PRIMARY KEY,
    record_id bytea NOT NULL,
    version bigint NOT NULL,
    decision text NOT NULL CHECK (decision IN ('link', 'leave', 'reject')),
    subject_id bytea,                     -- link: to whom
    carried_out boolean NOT NULL,         -- false: proposed, a second person is needed
    issued_by text NOT NULL,
    reason text NOT NULL,
    decided_at bigint NOT NULL
);
CREATE INDEX decisions_record ON decisions (record_id);

-- How each command was answered, so that one that comes again is answered alike.
CREATE TABLE answered (
    command_id text PRIMARY KEY,
    faults text NOT NULL,                 -- codes, separated by commas
    detail text
);

-- What a person has rejected is in review no more, and was told to nobody.
ALTER TABLE reviews DROP CONSTRAINT reviews_state_check;
ALTER TABLE reviews ADD CONSTRAINT reviews_state_check CHECK (state IN ('WAITING', 'LINKED', 'SUPERSEDED', 'REJECTED'));
CREATE TABLE reviews_rejected PARTITION OF reviews FOR VALUES IN ('REJECTED');
