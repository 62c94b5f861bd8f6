/* The two ciphers of key files that OpenSSL 3 does not offer. Both work on fixed sizes, allocate nothing, and wipe what
   they leave on the stack. Their test vectors are their authors' own. */
#ifndef CKEYCIPHERS_H
#define CKEYCIPHERS_H

#include <stddef.h>
#include <stdint.h>

/* bcrypt.c: the hash inside OpenSSH's bcrypt_pbkdf: both inputs are SHA-512 digests. About 3 ms. */
void ckc_bcrypt_hash(const uint8_t passphrase[64], const uint8_t salt[64], uint8_t out[32]);

/* xsalsa20.c: XORs `length` bytes in place with the key stream, from its start. */
void ckc_xsalsa20_xor(uint8_t *bytes, size_t length, const uint8_t nonce[24], const uint8_t key[32]);

#endif
