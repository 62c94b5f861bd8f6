/* libcrypto as Swift sees it: macros that Swift cannot import become static inline functions here. */
#include <stdlib.h>
#include <string.h>
#ifdef __APPLE__
#include <malloc/malloc.h>
#define intoto_allocated malloc_size
#else
#include <malloc.h>
#define intoto_allocated malloc_usable_size
#endif
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
#include <openssl/x509v3.h>

static inline long intoto_bio_get_mem_data(BIO *bio, char **data) { return BIO_get_mem_data(bio, data); }
static inline int intoto_key_pair_selection(void) { return EVP_PKEY_KEYPAIR; }

/* OpenSSL's decoders free copies of private keys as they are: measured, an RSA key in PKCS #1 stays in the heap whole. What
   it frees is wiped here. Called before it allocates anything; afterwards it takes no other functions, and 0 is returned. */
static inline void *intoto_allocate(size_t size, const char *file, int line) {
    (void)file, (void)line;
    return size == 0 ? NULL : malloc(size);
}
static inline void intoto_free(void *memory, const char *file, int line) {
    (void)file, (void)line;
    if (!memory) return;
    OPENSSL_cleanse(memory, intoto_allocated(memory));
    free(memory);
}
static inline void *intoto_reallocate(void *memory, size_t size, const char *file, int line) {
    size_t held = memory ? intoto_allocated(memory) : 0;
    if (size > 0 && size <= held) return memory;
    void *larger = intoto_allocate(size, file, line);
    if (size > 0 && !larger) return NULL;
    if (memory && larger) memcpy(larger, memory, held);
    intoto_free(memory, file, line);
    return larger;
}
static inline int intoto_wipe_what_is_freed(void) {
    return CRYPTO_set_mem_functions(intoto_allocate, intoto_reallocate, intoto_free);
}

/* Whether an error says that OpenSSL lacks an algorithm, rather than that the input is wrong. */
static inline int intoto_error_means_unsupported(unsigned long code) {
    int reason = ERR_GET_REASON(code);
    return reason == ERR_R_UNSUPPORTED || (ERR_GET_LIB(code) == ERR_LIB_EVP && reason == EVP_R_UNSUPPORTED_CIPHER) ||
           (ERR_GET_LIB(code) == ERR_LIB_PEM && reason == PEM_R_UNSUPPORTED_ENCRYPTION);
}

/* Certificates in a stack that owns none of them. */
static inline STACK_OF(X509) *intoto_x509_stack(void) { return sk_X509_new_null(); }
static inline int intoto_x509_push(STACK_OF(X509) *stack, X509 *certificate) { return sk_X509_push(stack, certificate); }
static inline void intoto_x509_stack_free(STACK_OF(X509) *stack) { sk_X509_free(stack); }
/* The alternative names of a certificate; NULL where there are none, or where they cannot be read: *critical is -1 for
   the first, and -2 for several extensions. */
static inline GENERAL_NAMES *intoto_alternative_names(X509 *certificate, int *critical) {
    return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, critical, NULL);
}
static inline int intoto_alternative_name_count(GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
/* The kind of a name (GEN_DNS, GEN_EMAIL, GEN_URI or another), and its text where it is one of these three. */
static inline int intoto_alternative_name(GENERAL_NAMES *names, int index, ASN1_STRING **text) {
    GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    *text = name->type == GEN_DNS || name->type == GEN_EMAIL || name->type == GEN_URI ? name->d.ia5 : NULL;
    return name->type;
}
