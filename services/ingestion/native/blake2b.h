/* BLAKE2b without a key (RFC 7693), in pieces. */
#ifndef CREDIT_BLAKE2B_H
#define CREDIT_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t h[8];
    uint64_t hashed; /* bytes before `block`; 64 bits of the 128 that the RFC counts with are enough */
    uint8_t block[128];
    size_t filled;
    size_t size; /* of the digest: 1 to 64 bytes */
} Blake2b;

void blake2b_begin(Blake2b *state, size_t size);
void blake2b_add(Blake2b *state, const void *data, size_t size);
void blake2b_end(Blake2b *state, uint8_t *digest);

#endif
