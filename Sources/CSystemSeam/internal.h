#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CSystemSeam.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <stdio.h>
#include <time.h>

/// A definition of an interposed function that is not ours, looked up once by `find`.
#define SEAM_OTHER(name, find)                                                       \
    ({                                                                               \
        static __typeof__(name) *seam_real;                                          \
        __typeof__(name) *found = __atomic_load_n(&seam_real, __ATOMIC_RELAXED);     \
        if (__builtin_expect(found == NULL, 0)) {                                    \
            found = (find);                                                          \
            if (found == NULL) seam_no_real(#name);                                  \
            __atomic_store_n(&seam_real, found, __ATOMIC_RELAXED);                   \
        }                                                                            \
        found;                                                                       \
    })

/// The next definition: libc's.
#define SEAM_REAL(name) SEAM_OTHER(name, (__typeof__(name) *)dlsym(RTLD_NEXT, #name))

/// The definition of the sanitizer that the program is linked with, which has to know of threads and locks; else libc's.
#define SEAM_REAL_OR_SANITIZERS(name)                                                \
    ({                                                                               \
        extern __typeof__(name) __interceptor_##name __attribute__((weak));          \
        SEAM_OTHER(                                                                  \
            name, &__interceptor_##name != NULL                                      \
                ? &__interceptor_##name : (__typeof__(name) *)dlsym(RTLD_NEXT, #name) \
        );                                                                           \
    })

/// Interposed, and found by the dynamic linker before every library's own definition.
///
/// A thread that ends calls some of them after a sanitizer has put away what it knows of the thread, as Foundation does when
/// its thread-local values go: nothing of them may be instrumented before they have found a kernel.
#define SEAM_EXPORT __attribute__((visibility("default"), used)) SEAM_UNINSTRUMENTED

/// What an interposed function asks on its way to the real one.
#define SEAM_ON_THE_WAY static inline __attribute__((always_inline)) SEAM_UNINSTRUMENTED

/// Ends the process: an interposed function has no real counterpart.
_Noreturn void seam_no_real(const char *name);

/// Tells the thread's kernel of a leak, with the stack of the interposed function's caller.
void seam_leak_here(seam_context *context, seam_leak leak);

/// Nanoseconds as seconds and a fraction that counts upward, before 1970 too.
struct timespec seam_timespec(int64_t nanoseconds);
/// Seconds and a fraction as nanoseconds.
SEAM_ON_THE_WAY uint64_t seam_nanoseconds(const struct timespec *time) {
    return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

/// Says, once it is installed, where tested code traps.
void seam_install_traps(void);
