-- By which pepper the ids in this store were made: a hash that cannot be turned back. With another one every code would
-- be somebody else's.
CREATE TABLE pepper (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    mark bytea NOT NULL
);
