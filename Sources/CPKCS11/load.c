#include "CPKCS11.h"

#include <dlfcn.h>

_Static_assert(sizeof(struct p11_functions) == 45 * sizeof(void *), "the table ends with C_Sign, its 44th function");

const struct p11_functions *p11_load(const char *path, const char **error) {
    /* Never closed again: modules leave handlers behind that run at exit. */
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    *error = module ? "it is no PKCS #11 module" : dlerror();
    if (!module) return NULL;
    p11_number (*functions)(const struct p11_functions **);
    *(void **)&functions = dlsym(module, "C_GetFunctionList");
    const struct p11_functions *table = NULL;
    if (!functions || functions(&table) != 0 || !table) return NULL;
    if (table->version.major != 2) { /* 3.x modules return their 2.40 table here */
        *error = "it speaks a version of PKCS #11 that is not 2.x";
        return NULL;
    }
    return table;
}
