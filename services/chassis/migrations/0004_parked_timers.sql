-- A timer lies on no topic, so it has no offset: a running one has -1. One that is parked gets a place of its own in its
-- lane, one lower than the one before and never given twice, so that an operator's order means the timer it names.
ALTER TABLE lanes ADD COLUMN timer_place bigint NOT NULL DEFAULT -1; -- the last one given
UPDATE lanes SET timer_place = -2 WHERE (topic, partition) IN (SELECT topic, partition FROM parked WHERE "offset" = -1);
UPDATE parked SET "offset" = -2 WHERE "offset" = -1;
