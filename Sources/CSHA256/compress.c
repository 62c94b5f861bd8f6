/* One stream cannot use the processor: each pair of rounds waits for the one before, and the units that carry them out
   idle in between. Two independent streams, their instructions interleaved, fill most of the gaps: 1.8 times the bytes
   a second on Zen 3, twice on Zen 4, if clang compiles it (GCC 12 keeps the streams apart in time and gains nothing).
   More lanes would need more files open at once and no longer fit the sixteen registers, though Zen 3 still gains.

   The instructions are enabled function by function: the rest of the program runs on any processor, and these functions
   only after cs256_available said so. AVX2 is left out: with it, two lanes were 3 % slower. */
#include "CSHA256.h"

void cs256_init(struct cs256_state *state) {
    *state = (struct cs256_state){{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
                                   0x5be0cd19}};
}

/* CS256_PORTABLE makes a program that leaves all to OpenSSL on any processor: scripts/bench measures what that costs. */
#if defined(__x86_64__) && !defined(CS256_PORTABLE)

#include <cpuid.h>
#include <immintrin.h>

#define WITH_SHA __attribute__((target("sha,sse4.1")))
/* Inlined even in debug builds: the number of lanes must be a constant for the lanes to become registers. */
#define LANE_CODE WITH_SHA __attribute__((always_inline)) static inline

/* Nothing is asked about the operating system: these instructions touch the XMM registers only, which every x86-64
   system saves, since ordinary compiled code is full of them. */
bool cs256_available(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;
}

/* FIPS 180-4, 4.2.2. */
static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* One stream under way. The round instruction wants the words A, B, E, F in one register and C, D, G, H in another. */
struct lane {
    __m128i abef, cdgh;
    __m128i abef_before, cdgh_before; /* as they were before the block */
    __m128i schedule[4];              /* the last sixteen words of the message schedule, four a register */
    const uint8_t *next;
};

LANE_CODE void load_state(struct lane *lane, const struct cs256_state *state) {
    __m128i dcba = _mm_loadu_si128((const __m128i *)state->words);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(state->words + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xB1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1B);
    lane->abef = _mm_alignr_epi8(cdab, efgh, 8);
    lane->cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
}

LANE_CODE void store_state(const struct lane *lane, struct cs256_state *state) {
    __m128i feba = _mm_shuffle_epi32(lane->abef, 0x1B);
    __m128i dchg = _mm_shuffle_epi32(lane->cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)state->words, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(state->words + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* The block's sixteen words are its schedule's first; they come most significant byte first. */
LANE_CODE void begin_block(struct lane *lane) {
    const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    for (int i = 0; i < 4; i++)
        lane->schedule[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)lane->next + i), swap);
    lane->next += CS256_BLOCK;
    lane->abef_before = lane->abef;
    lane->cdgh_before = lane->cdgh;
}

/* Rounds 4 × `step` to 4 × `step` + 3. An instruction does two, with the sums in the low half of its third operand, and
   the registers change roles: the new A, B, E, F stand where C, D, G, H were. */
LANE_CODE void four_rounds(struct lane *lane, int step) {
    __m128i sums = _mm_add_epi32(lane->schedule[step & 3], _mm_load_si128((const __m128i *)constants + step));
    lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, sums);
    lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, _mm_shuffle_epi32(sums, 0x0E));
}

/* Replaces the four words just used by those that rounds 16 later use: W[t] is made of W[t-16], W[t-15], W[t-7] and
   W[t-2]; the alignment picks W[t-7]. */
LANE_CODE void extend_schedule(struct lane *lane, int step) {
    __m128i *oldest = &lane->schedule[step & 3], *newest = &lane->schedule[(step + 3) & 3];
    __m128i words = _mm_sha256msg1_epu32(*oldest, lane->schedule[(step + 1) & 3]);
    words = _mm_add_epi32(words, _mm_alignr_epi8(*newest, lane->schedule[(step + 2) & 3], 4));
    *oldest = _mm_sha256msg2_epu32(words, *newest);
}

LANE_CODE void end_block(struct lane *lane) {
    lane->abef = _mm_add_epi32(lane->abef, lane->abef_before);
    lane->cdgh = _mm_add_epi32(lane->cdgh, lane->cdgh_before);
}

/* `lanes` is a constant at each call. The loops over the lanes stand innermost, which is the interleaving. */
LANE_CODE void compress(struct lane *lane, int lanes, size_t count) {
    while (count-- > 0) {
        for (int i = 0; i < lanes; i++) begin_block(&lane[i]);
#pragma unroll
        for (int step = 0; step < 16; step++) {
            for (int i = 0; i < lanes; i++) four_rounds(&lane[i], step);
            if (step >= 12) continue;
            for (int i = 0; i < lanes; i++) extend_schedule(&lane[i], step);
        }
        for (int i = 0; i < lanes; i++) end_block(&lane[i]);
    }
}

WITH_SHA void cs256_compress(struct cs256_state *state, const void *blocks, size_t count) {
    struct lane lane = {.next = blocks};
    load_state(&lane, state);
    compress(&lane, 1, count);
    store_state(&lane, state);
}

WITH_SHA void cs256_compress2(struct cs256_state *state_a, const void *blocks_a, struct cs256_state *state_b,
                              const void *blocks_b, size_t count) {
    struct lane lanes[2] = {{.next = blocks_a}, {.next = blocks_b}};
    load_state(&lanes[0], state_a);
    load_state(&lanes[1], state_b);
    compress(lanes, 2, count);
    store_state(&lanes[0], state_a);
    store_state(&lanes[1], state_b);
}

#else

/* ARM's SHA instructions are another matter; until somebody measures them, OpenSSL does the work there. */
bool cs256_available(void) { return false; }

void cs256_compress(struct cs256_state *state, const void *blocks, size_t count) {
    (void)state, (void)blocks, (void)count;
    __builtin_trap();
}

void cs256_compress2(struct cs256_state *state_a, const void *blocks_a, struct cs256_state *state_b,
                     const void *blocks_b, size_t count) {
    (void)state_a, (void)blocks_a, (void)state_b, (void)blocks_b, (void)count;
    __builtin_trap();
}

#endif
