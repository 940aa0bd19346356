-- Fields as the Avro map that the feeds carry, times as milliseconds since 1970: both are then passed on as they are.

SET LOCAL statement_timeout = 0; -- the rows are rewritten, however many there are

CREATE FUNCTION avro_long(number bigint) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    rest bigint := number * 2;
    written bytea := '';
BEGIN
    WHILE rest > 127 LOOP
        written := written || set_byte('\x00', 0, ((rest & 127) | 128)::int);
        rest := rest >> 7;
    END LOOP;
    RETURN written || set_byte('\x00', 0, rest::int);
END $$;

CREATE FUNCTION avro_map(fields bytea) RETURNS bytea LANGUAGE sql AS $$
    SELECT CASE WHEN count(*) = 0 THEN '\x00'::bytea ELSE avro_long(count(*)) || string_agg(
        avro_long(octet_length(key)) || convert_to(key, 'UTF8') || avro_long(octet_length(value)) || convert_to(value, 'UTF8'),
        ''::bytea) || '\x00'::bytea END
    FROM json_each_text(convert_from(fields, 'UTF8')::json)
$$;

UPDATE disclosed_records SET fields = avro_map(fields);
DROP FUNCTION avro_map;
DROP FUNCTION avro_long;

ALTER TABLE disclosed_records
    ALTER accepted_at TYPE bigint USING round(extract(epoch FROM accepted_at) * 1000)::bigint,
    ALTER changed_at TYPE bigint USING round(extract(epoch FROM changed_at) * 1000)::bigint;
ALTER TABLE subjects ALTER changed_at TYPE bigint USING round(extract(epoch FROM changed_at) * 1000)::bigint;

-- Counts are updated with every record: room on the page keeps the index out of it.
DO $$
BEGIN
    FOR i IN 0..7 LOOP
        EXECUTE format('ALTER TABLE subject_files_%s SET (fillfactor = 70)', i);
        EXECUTE format('ALTER TABLE disclosed_records_%s ALTER COLUMN fields SET STORAGE EXTERNAL', i);
    END LOOP;
END $$;
