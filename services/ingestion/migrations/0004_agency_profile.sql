-- What the operator knows of an agency beside its items. Roles are offices, three in the order of domain/profile.py ROLES;
-- they are in this store only: no topic that others read tells who answers for an agency.
ALTER TABLE agencies
    ADD COLUMN kind text NOT NULL DEFAULT '',
    ADD COLUMN parent text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN expected_since date,
    ADD COLUMN roles text[] NOT NULL DEFAULT '{}';
