-- Listings are few (one in thousands of records), so these tables are not partitioned.

CREATE TABLE listings (
    record_id bytea PRIMARY KEY,
    version bigint NOT NULL DEFAULT 0,           -- 0: the row is only a lock so far
    standing text NOT NULL DEFAULT 'UNKNOWN' CHECK (standing IN ('UNKNOWN', 'LISTED', 'LIFTED', 'REFUSED')),
    memorandum text NOT NULL DEFAULT '',
    subject_id bytea,
    subject_code text,
    subject_name text
);

CREATE TABLE tasks (
    task_id text PRIMARY KEY,
    record_id bytea NOT NULL REFERENCES listings,
    memorandum text NOT NULL,
    measure text NOT NULL,
    measure_text text NOT NULL,
    article text NOT NULL,
    department text NOT NULL,
    subject_id bytea NOT NULL,
    subject_code text,
    subject_name text,
    due_on date,
    status text NOT NULL CHECK (status IN ('OPENED', 'CLOSED', 'LIFTED')),
    told boolean NOT NULL, -- false: opened before its department was registered, so it has no topic yet
    changed_at timestamptz NOT NULL
);
CREATE INDEX tasks_untold ON tasks (department) WHERE NOT told;
CREATE INDEX tasks_record ON tasks (record_id);
CREATE INDEX tasks_department ON tasks (department, task_id);

-- The agencies that are registered, and so have a task topic.
CREATE TABLE departments (
    code text PRIMARY KEY
);

-- How feedback was answered when it first came, so that a repeat is answered alike.
CREATE TABLE feedback_answers (
    task_id text NOT NULL REFERENCES tasks,
    feedback_id text NOT NULL,
    change text NOT NULL,
    faults jsonb NOT NULL,
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (task_id, feedback_id)
);
