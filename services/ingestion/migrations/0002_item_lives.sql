-- What has happened to a catalogue item beside its editions: drafts, seals, publications, readers, retirement.
CREATE TABLE item_lives (
    code text COLLATE "C" PRIMARY KEY,
    retired_at bigint,                 -- milliseconds since 1970; null: it takes reports
    life text NOT NULL                 -- JSON; read by code, never searched
);
