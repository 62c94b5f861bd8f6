/* SHA-256's compression function (FIPS 180-4, 6.2.2) with the processor's SHA instructions, for one stream or for two
   side by side. Padding, buffering and what to do without such a processor are the caller's. */
#ifndef CSHA256_H
#define CSHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that the compression function takes at a time. */
#define CS256_BLOCK 64

/* The eight words of FIPS 180-4, H0 to H7; after the last block they are the digest, each most significant byte first. */
struct cs256_state {
    uint32_t words[8];
};

/* Whether this processor has the instructions. Asks the processor each time, which costs microseconds in a virtual
   machine: ask once. Where it is false the functions below end the process. */
bool cs256_available(void);

/* The state before the first block. */
void cs256_init(struct cs256_state *state);

/* Takes `count` blocks, at any alignment. */
void cs256_compress(struct cs256_state *state, const void *blocks, size_t count);

/* Takes `count` blocks of each of two streams in little more than the time of one. The states must be two. */
void cs256_compress2(struct cs256_state *state_a, const void *blocks_a, struct cs256_state *state_b,
                     const void *blocks_b, size_t count);

#endif
