/* The part of PKCS #11 (OASIS, version 2.40) that signing needs, so that no header package is. Names are the
   specification's without CK_, C_ and the like; functions that are not called stand as `unused`, in their order. */
#ifndef CPKCS11_H
#define CPKCS11_H

#include <stddef.h>

typedef unsigned long p11_number; /* CK_ULONG and what is made of it: handles, flags, results */
typedef unsigned char p11_byte;
typedef void (*p11_unused)(void);

struct p11_version {
    p11_byte major, minor;
};

struct p11_token_info { /* texts are padded with spaces, and not terminated */
    p11_byte label[32], manufacturer[32], model[16], serial[16];
    p11_number flags, limits[10];
    struct p11_version hardware, firmware;
    p11_byte time[16];
};

struct p11_attribute {
    p11_number type;
    void *value;
    p11_number length; /* P11_UNAVAILABLE where the token does not tell */
};

struct p11_mechanism {
    p11_number mechanism;
    void *parameter;
    p11_number length;
};

struct p11_pss_parameters {
    p11_number hash, mask, salt_length;
};

#define P11_UNAVAILABLE (~(p11_number)0)

struct p11_functions {
    struct p11_version version;
    p11_number (*initialize)(void *arguments);
    p11_number (*finalize)(void *reserved);
    p11_unused unused_1[2];
    p11_number (*slot_list)(p11_byte only_present, p11_number *slots, p11_number *count);
    p11_unused unused_2[1];
    p11_number (*token_info)(p11_number slot, struct p11_token_info *information);
    p11_unused unused_3[5];
    p11_number (*open_session)(p11_number slot, p11_number flags, void *application, void *notify,
                               p11_number *session);
    p11_number (*close_session)(p11_number session);
    p11_unused unused_4[4];
    p11_number (*login)(p11_number session, p11_number user, const p11_byte *pin, p11_number length);
    p11_number (*logout)(p11_number session);
    p11_unused unused_5[4];
    p11_number (*attributes)(p11_number session, p11_number object, struct p11_attribute *attributes,
                             p11_number count);
    p11_unused unused_6[1];
    p11_number (*find_start)(p11_number session, struct p11_attribute *attributes, p11_number count);
    p11_number (*find)(p11_number session, p11_number *objects, p11_number limit, p11_number *count);
    p11_number (*find_end)(p11_number session);
    p11_unused unused_7[13];
    p11_number (*sign_start)(p11_number session, struct p11_mechanism *mechanism, p11_number key);
    p11_number (*sign)(p11_number session, const p11_byte *message, p11_number length, p11_byte *signature,
                       p11_number *signature_length);
    /* Further ones follow. */
};

/* Loads a module and returns its functions. NULL: `error` says why, for as long as no other module is loaded. */
const struct p11_functions *p11_load(const char *path, const char **error);

#endif
