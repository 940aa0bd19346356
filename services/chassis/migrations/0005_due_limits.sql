-- How much of what was due a turn took at most: of each kind (discarded, released, timers), as all turns did before; or
-- 1, when something of these lanes was suspected of having ended the process: then one thing of all kinds, alone.
ALTER TABLE turns ADD COLUMN due_limit integer NOT NULL DEFAULT 500;
