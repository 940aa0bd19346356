-- How well agencies name their subjects, by month of Beijing: moved with the links, so that nothing is counted twice.
-- Each batch adds to one shard, so that lanes do not wait for each other's rows.
CREATE TABLE code_rates (
    agency text NOT NULL,
    month text NOT NULL,        -- YYYY-MM
    shard smallint NOT NULL,
    checked bigint NOT NULL,    -- versions
    unmapped bigint NOT NULL,   -- an old code that nobody has brought
    wrong bigint NOT NULL,      -- malformed, a placeholder, or of no kind of an organisation's (错码)
    duplicate bigint NOT NULL,  -- two subjects claim it (重码)
    PRIMARY KEY (agency, month, shard)
);
