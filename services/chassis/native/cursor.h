/* Reading within bounds: what does not fit breaks the cursor, and all that is read from a broken one is empty. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const uint8_t *at;
    size_t size;
} Text;

typedef struct {
    const uint8_t *at, *end;
    bool broken;
} Cursor;

static inline bool text_equals(Text text, Text other) {
    return text.size == other.size && memcmp(text.at, other.at, text.size) == 0;
}

static inline Text take(Cursor *cursor, size_t size) {
    static const uint8_t NOTHING[8] = {0};
    if (cursor->broken || size > (size_t)(cursor->end - cursor->at)) {
        cursor->broken = true;
        return (Text){NOTHING, 0};
    }
    Text found = {cursor->at, size};
    cursor->at += size;
    return found;
}

static inline uint8_t take_byte(Cursor *cursor) { return *take(cursor, 1).at; } /* 0 where it is broken */

/* As the tables of the services have texts: the length u16, little-endian, and the bytes. */
static inline Text take_string(Cursor *cursor) {
    const uint8_t *size = take(cursor, 2).at;
    return take(cursor, (size_t)(size[0] | size[1] << 8));
}

/* Avro's zigzag varint of 64 bits. */
static inline int64_t take_long(Cursor *cursor) {
    uint64_t number = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t byte = take_byte(cursor);
        number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            cursor->broken |= shift == 63 && byte > 1;
            return (int64_t)(number >> 1 ^ (~(number & 1) + 1));
        }
    }
    cursor->broken = true;
    return 0;
}

/* Avro's bytes or string. */
static inline Text take_text(Cursor *cursor) {
    int64_t size = take_long(cursor);
    cursor->broken |= size < 0;
    return take(cursor, (size_t)size);
}
