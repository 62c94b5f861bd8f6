/* The bcrypt hash of OpenBSD's bcrypt_pbkdf(3), on which OpenSSH's encrypted keys rest. Spec: B. Schneier, "Description
   of a new variable-length key, 64-bit block cipher"; N. Provos and D. Mazieres, "A future-adaptable password scheme";
   OpenSSH, PROTOCOL.key. Table look-ups depend on the passphrase, as in every bcrypt. */
#include "CKeyCiphers.h"

#include <string.h>

#include "wipe.h"

enum { rounds = 16, input_length = 64 };

struct blowfish {
    uint32_t subkeys[rounds + 2];
    uint32_t boxes[4][256];
};

static const uint32_t pi[rounds + 2 + 4 * 256] = {
#include "pi.h"
};

_Static_assert(sizeof(struct blowfish) == sizeof pi, "the digits fill the state");

static uint32_t mix(const struct blowfish *state, uint32_t word) {
    uint32_t sum = state->boxes[0][word >> 24] + state->boxes[1][word >> 16 & 0xff];
    return (sum ^ state->boxes[2][word >> 8 & 0xff]) + state->boxes[3][word & 0xff];
}

static void encipher(const struct blowfish *state, uint32_t block[2]) {
    uint32_t left = block[0], right = block[1];
    for (int i = 0; i < rounds; i += 2) {
        left ^= state->subkeys[i];
        right ^= mix(state, left) ^ state->subkeys[i + 1];
        left ^= mix(state, right);
    }
    block[0] = right ^ state->subkeys[rounds + 1];
    block[1] = left ^ state->subkeys[rounds];
}

/* The next four bytes of an input that repeats without end. */
static uint32_t next_word(const uint8_t input[input_length], size_t *offset) {
    uint32_t word = 0;
    for (int i = 0; i < 4; i++, *offset = (*offset + 1) % input_length) word = word << 8 | input[*offset];
    return word;
}

/* Replaces subkeys and boxes by what they encipher, one block after the other; `salt` NULL: nothing is mixed in. */
static void expand(struct blowfish *state, const uint8_t *salt, const uint8_t key[input_length]) {
    size_t offset = 0;
    for (int i = 0; i < rounds + 2; i++) state->subkeys[i] ^= next_word(key, &offset);
    uint32_t block[2] = {0, 0}, *words = (uint32_t *)state;
    offset = 0;
    for (size_t i = 0; i < sizeof *state / sizeof *words; i += 2) {
        if (salt) {
            block[0] ^= next_word(salt, &offset);
            block[1] ^= next_word(salt, &offset);
        }
        encipher(state, block);
        words[i] = block[0];
        words[i + 1] = block[1];
    }
    wipe(block, sizeof block);
}

void ckc_bcrypt_hash(const uint8_t passphrase[64], const uint8_t salt[64], uint8_t out[32]) {
    static const uint8_t text[input_length] = "OxychromaticBlowfishSwatDynamite";
    struct blowfish state;
    memcpy(&state, pi, sizeof state);
    expand(&state, salt, passphrase);
    for (int i = 0; i < 64; i++) {
        expand(&state, NULL, salt);
        expand(&state, NULL, passphrase);
    }
    uint32_t words[8];
    size_t offset = 0;
    for (int i = 0; i < 8; i++) words[i] = next_word(text, &offset);
    for (int i = 0; i < 64; i++)
        for (int block = 0; block < 8; block += 2) encipher(&state, words + block);
    for (int i = 0; i < 32; i++) out[i] = (uint8_t)(words[i / 4] >> (8 * (i % 4)));
    wipe(&state, sizeof state);
    wipe(words, sizeof words);
}
