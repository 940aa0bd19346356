/* A buffer that grows, and numbers as Avro and Kafka's record format write them. */
#pragma once
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

enum { LONG_BYTES = 10 }; /* the most that a 64-bit number takes */

typedef struct {
    uint8_t *at;
    size_t size, room;
} Buffer;

/* Room for `more` bytes; false, and MemoryError, where there is none. */
static inline bool buffer_reserve(Buffer *buffer, size_t more) {
    if (buffer->size + more <= buffer->room) {
        return true;
    }
    size_t room = (buffer->size + more) * 2;
    uint8_t *at = PyMem_Realloc(buffer->at, room);
    if (at == NULL) {
        PyErr_NoMemory();
        return false;
    }
    buffer->at = at, buffer->room = room;
    return true;
}

static inline void buffer_free(Buffer *buffer) { PyMem_Free(buffer->at); }

static inline size_t long_put(uint8_t *at, int64_t number) {
    uint64_t left = (uint64_t)number << 1 ^ (number < 0 ? ~UINT64_C(0) : 0);
    size_t size = 0;
    for (; left > 0x7F; left >>= 7) {
        at[size++] = (uint8_t)(left | 0x80);
    }
    at[size++] = (uint8_t)left;
    return size;
}

static inline bool put_long(Buffer *buffer, int64_t number) {
    if (!buffer_reserve(buffer, LONG_BYTES)) {
        return false;
    }
    buffer->size += long_put(buffer->at + buffer->size, number);
    return true;
}

static inline bool put_raw(Buffer *buffer, const void *data, size_t size) {
    if (!buffer_reserve(buffer, size)) {
        return false;
    }
    memcpy(buffer->at + buffer->size, data, size);
    buffer->size += size;
    return true;
}

/* Bytes with their length before them, as Avro writes bytes and strings, and Kafka keys, values and headers. */
static inline bool put_bytes(Buffer *buffer, const void *data, size_t size) {
    return put_long(buffer, (int64_t)size) && put_raw(buffer, data, size);
}
