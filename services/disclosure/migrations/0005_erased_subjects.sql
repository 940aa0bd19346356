-- Who was erased: nothing is shown of such a subject, whatever comes later. The row stays, for the counts have no gaps.
ALTER TABLE subject_files ADD COLUMN erased boolean NOT NULL DEFAULT false;
