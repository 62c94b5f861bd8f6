/* XSalsa20, as NaCl's secretbox uses it. Spec: D. J. Bernstein, "Extending the Salsa20 nonce" and "Salsa20
   specification". No branch and no address depends on a secret. */
#include "CKeyCiphers.h"

#include "wipe.h"

static uint32_t load(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void store(uint8_t *bytes, uint32_t word) {
    for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(word >> (8 * i));
}

static uint32_t rotate(uint32_t word, int count) { return word << count | word >> (32 - count); }

static void quarter(uint32_t x[16], int a, int b, int c, int d) {
    x[b] ^= rotate(x[a] + x[d], 7);
    x[c] ^= rotate(x[b] + x[a], 9);
    x[d] ^= rotate(x[c] + x[b], 13);
    x[a] ^= rotate(x[d] + x[c], 18);
}

static void twenty_rounds(uint32_t x[16]) {
    for (int i = 0; i < 10; i++) {
        quarter(x, 0, 4, 8, 12);
        quarter(x, 5, 9, 13, 1);
        quarter(x, 10, 14, 2, 6);
        quarter(x, 15, 3, 7, 11);
        quarter(x, 0, 1, 2, 3);
        quarter(x, 5, 6, 7, 4);
        quarter(x, 10, 11, 8, 9);
        quarter(x, 15, 12, 13, 14);
    }
}

/* "expand 32-byte k" on the diagonal, the key in two halves, sixteen bytes of input in the middle. */
static void set_up(uint32_t x[16], const uint8_t key[32], const uint8_t input[16]) {
    static const uint32_t constant[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    for (int i = 0; i < 4; i++) {
        x[5 * i] = constant[i];
        x[1 + i] = load(key + 4 * i);
        x[6 + i] = load(input + 4 * i);
        x[11 + i] = load(key + 16 + 4 * i);
    }
}

static void hsalsa20(uint8_t out[32], const uint8_t key[32], const uint8_t input[16]) {
    uint32_t x[16];
    set_up(x, key, input);
    twenty_rounds(x);
    for (int i = 0; i < 4; i++) {
        store(out + 4 * i, x[5 * i]);
        store(out + 16 + 4 * i, x[6 + i]);
    }
    wipe(x, sizeof x);
}

static void salsa20_block(uint8_t out[64], const uint8_t key[32], const uint8_t input[16]) {
    uint32_t start[16], x[16];
    set_up(start, key, input);
    for (int i = 0; i < 16; i++) x[i] = start[i];
    twenty_rounds(x);
    for (int i = 0; i < 16; i++) store(out + 4 * i, x[i] + start[i]);
    wipe(start, sizeof start);
    wipe(x, sizeof x);
}

void ckc_xsalsa20_xor(uint8_t *bytes, size_t length, const uint8_t nonce[24], const uint8_t key[32]) {
    uint8_t subkey[32], block[64], input[16] = {0};
    hsalsa20(subkey, key, nonce);
    for (int i = 0; i < 8; i++) input[i] = nonce[16 + i];
    for (uint64_t number = 0; length > 0; number++) {
        for (int i = 0; i < 8; i++) input[8 + i] = (uint8_t)(number >> (8 * i));
        salsa20_block(block, subkey, input);
        size_t count = length < sizeof block ? length : sizeof block;
        for (size_t i = 0; i < count; i++) bytes[i] ^= block[i];
        bytes += count;
        length -= count;
    }
    wipe(subkey, sizeof subkey);
    wipe(block, sizeof block);
}
