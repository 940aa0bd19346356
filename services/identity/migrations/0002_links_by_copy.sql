-- Plain columns, so that links go in by COPY: an array of arrays could not travel in one statement anyway.

SET LOCAL statement_timeout = 0; -- the rows are rewritten, however many there are

ALTER TABLE record_links
    ALTER evidence TYPE text USING array_to_string(evidence, ','),                       -- kinds, never codes
    ALTER linked_at TYPE bigint USING round(extract(epoch FROM linked_at) * 1000)::bigint; -- milliseconds since 1970
