#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CSystemSeam.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <stdio.h>

/// The next definition of an interposed function, looked up once.
#define SEAM_REAL(name)                                                              \
    ({                                                                               \
        static __typeof__(name) *seam_real;                                          \
        __typeof__(name) *found = __atomic_load_n(&seam_real, __ATOMIC_RELAXED);     \
        if (__builtin_expect(found == NULL, 0)) {                                    \
            found = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);                     \
            if (found == NULL) seam_no_real(#name);                                  \
            __atomic_store_n(&seam_real, found, __ATOMIC_RELAXED);                   \
        }                                                                            \
        found;                                                                       \
    })

/// Interposed, and found by the dynamic linker before every library's own definition.
#define SEAM_EXPORT __attribute__((visibility("default"), used))

/// Ends the process: an interposed function has no real counterpart.
_Noreturn void seam_no_real(const char *name);

/// Tells the thread's kernel of a leak, with the stack of the interposed function's caller.
void seam_leak_here(seam_context *context, seam_leak leak);
