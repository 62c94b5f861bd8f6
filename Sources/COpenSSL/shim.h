/* libcrypto as Swift sees it: macros that Swift cannot import become static inline functions here. */
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static inline long intoto_bio_get_mem_data(BIO *bio, char **data) { return BIO_get_mem_data(bio, data); }
static inline int intoto_key_pair_selection(void) { return EVP_PKEY_KEYPAIR; }
/* Whether an error says that OpenSSL lacks an algorithm, rather than that the input is wrong. */
static inline int intoto_error_means_unsupported(unsigned long code) {
    int reason = ERR_GET_REASON(code);
    return reason == ERR_R_UNSUPPORTED || (ERR_GET_LIB(code) == ERR_LIB_EVP && reason == EVP_R_UNSUPPORTED_CIPHER) ||
           (ERR_GET_LIB(code) == ERR_LIB_PEM && reason == PEM_R_UNSUPPORTED_ENCRYPTION);
}
