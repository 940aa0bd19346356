-- The journal of turns: which messages each committed turn took, in which order, at which moment. With the topics it
-- says all that the store follows from. The number is drawn at the end of the turn's transaction, when it holds every
-- row lock it will ever hold: of two turns that touch the same row, the one that saw the other has the higher number.
CREATE TABLE turns (
    number bigint GENERATED ALWAYS AS IDENTITY,
    now_ms bigint NOT NULL,        -- the turn's moment, milliseconds since 1970
    due boolean NOT NULL,          -- timers or released messages were taken, from all the lanes named here
    culprit text NOT NULL,         -- the traceback with which its only message was parked; empty: decided as usual
    topics text[] NOT NULL,
    partitions integer[] NOT NULL,
    next_offsets bigint[] NOT NULL,
    messages integer[] NOT NULL    -- read from each lane; those of a lane lie before its next offset
) PARTITION BY RANGE (now_ms);
