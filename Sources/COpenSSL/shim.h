/* libcrypto as Swift sees it. Macros that Swift cannot import become static inline functions here; there is no logic. */
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static inline long intoto_bio_get_mem_data(BIO *bio, char **data) { return BIO_get_mem_data(bio, data); }
