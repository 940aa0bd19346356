/* BLAKE2b without a key, after RFC 7693. A test holds it equal to hashlib's. */
#include "blake2b.h"

#include <string.h>

static const uint64_t IV[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const uint8_t SIGMA[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline uint64_t little(const uint8_t *at) {
    /* Spelled out: compilers make one load of it, of a loop they do not. */
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
}

static inline uint64_t turned(uint64_t word, int by) { return word >> by | word << (64 - by); }

/* Macros, so that the indexes are constants and the words stay in registers. */
#define MIX(a, b, c, d, x, y)            \
    a += b + (x), d = turned(d ^ a, 32); \
    c += d, b = turned(b ^ c, 24);       \
    a += b + (y), d = turned(d ^ a, 16); \
    c += d, b = turned(b ^ c, 63)

#define ROUND(s)                                                 \
    MIX(v[0], v[4], v[8], v[12], m[(s)[0]], m[(s)[1]]);          \
    MIX(v[1], v[5], v[9], v[13], m[(s)[2]], m[(s)[3]]);          \
    MIX(v[2], v[6], v[10], v[14], m[(s)[4]], m[(s)[5]]);         \
    MIX(v[3], v[7], v[11], v[15], m[(s)[6]], m[(s)[7]]);         \
    MIX(v[0], v[5], v[10], v[15], m[(s)[8]], m[(s)[9]]);         \
    MIX(v[1], v[6], v[11], v[12], m[(s)[10]], m[(s)[11]]);       \
    MIX(v[2], v[7], v[8], v[13], m[(s)[12]], m[(s)[13]]);        \
    MIX(v[3], v[4], v[9], v[14], m[(s)[14]], m[(s)[15]])

static void compress(Blake2b *state, const uint8_t *block, int last) {
    uint64_t v[16], m[16];
    for (int i = 0; i < 16; i++) {
        m[i] = little(block + 8 * i);
    }
    for (int i = 0; i < 8; i++) {
        v[i] = state->h[i];
        v[i + 8] = IV[i];
    }
    v[12] ^= state->hashed;
    v[14] ^= last ? ~UINT64_C(0) : 0;
    ROUND(SIGMA[0]);
    ROUND(SIGMA[1]);
    ROUND(SIGMA[2]);
    ROUND(SIGMA[3]);
    ROUND(SIGMA[4]);
    ROUND(SIGMA[5]);
    ROUND(SIGMA[6]);
    ROUND(SIGMA[7]);
    ROUND(SIGMA[8]);
    ROUND(SIGMA[9]);
    ROUND(SIGMA[0]);
    ROUND(SIGMA[1]);
    for (int i = 0; i < 8; i++) {
        state->h[i] ^= v[i] ^ v[i + 8];
    }
}

void blake2b_begin(Blake2b *state, size_t size) {
    memcpy(state->h, IV, sizeof IV);
    state->h[0] ^= UINT64_C(0x01010000) ^ size;
    state->hashed = 0;
    state->filled = 0;
    state->size = size;
}

void blake2b_add(Blake2b *state, const void *data, size_t size) {
    const uint8_t *at = data;
    while (size > 0) {
        if (state->filled == sizeof state->block) { /* more follows, so this one is not the last */
            state->hashed += sizeof state->block;
            compress(state, state->block, 0);
            state->filled = 0;
        }
        size_t room = sizeof state->block - state->filled;
        size_t part = size < room ? size : room;
        memcpy(state->block + state->filled, at, part);
        state->filled += part;
        at += part;
        size -= part;
    }
}

void blake2b_end(Blake2b *state, uint8_t *digest) {
    memset(state->block + state->filled, 0, sizeof state->block - state->filled);
    state->hashed += state->filled;
    compress(state, state->block, 1);
    for (size_t i = 0; i < state->size; i++) {
        digest[i] = (uint8_t)(state->h[i / 8] >> (8 * (i % 8)));
    }
}
