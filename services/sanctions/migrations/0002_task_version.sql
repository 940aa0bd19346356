-- A task changes in several lanes (its record's, its department's feedback), and nothing orders what two lanes publish:
-- so its changes are counted, and what is told of it says how many there were. What was told before this is older.
ALTER TABLE tasks ADD COLUMN version bigint NOT NULL DEFAULT 1;
-- No default: a worker of the release before, which does not count, must fail rather than tell what all will pass over.
ALTER TABLE tasks ALTER COLUMN version DROP DEFAULT;

-- Which version an answer made of its task; null: it refused, or was given before tasks were counted.
ALTER TABLE feedback_answers ADD COLUMN task_version bigint;
