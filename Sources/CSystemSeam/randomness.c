// Randomness: the system's sources answer from the kernel's seeded stream on its thread.
//
// SystemRandomNumberGenerator reaches the kernel by syscall(SYS_getrandom); Foundation's UUID() opens and
// reads /dev/urandom; BoringSSL and libc have their own ways.

#include "internal.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void fill(seam_context *context, void *bytes, size_t count) {
    context->fill_random(context->kernel, bytes, count);
}

SEAM_EXPORT long syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long);
    long d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
    va_end(list);
    seam_context *context = seam_current();
    if (context != NULL) {
        switch (number) {
        case SYS_getrandom:
            fill(context, (void *)a, (size_t)b);
            return b;
        case SYS_clock_gettime:
        case SYS_gettimeofday:
#ifdef SYS_time
        case SYS_time:
#endif
            seam_leak_here(context, SEAM_LEAK_REAL_CLOCK);
            break;
        case SYS_futex:
            // With a time limit: a semaphore of Dispatch, for example.
            if (d != 0 && (b & FUTEX_CMD_MASK) == FUTEX_WAIT) {
                seam_leak_here(context, SEAM_LEAK_REAL_SLEEP);
                const struct timespec *limit = (const struct timespec *)d;
                context->slept += (uint64_t)limit->tv_sec * 1000000000u + (uint64_t)limit->tv_nsec;
                if (context->strict) {
                    errno = ETIMEDOUT;
                    return -1;
                }
            }
            break;
        case SYS_nanosleep:
        case SYS_clock_nanosleep:
            seam_leak_here(context, SEAM_LEAK_REAL_SLEEP);
            if (context->strict) return 0;
            break;
        default:
            break;
        }
    }
    return SEAM_REAL(syscall)(number, a, b, c, d, e, f);
}

SEAM_EXPORT ssize_t getrandom(void *bytes, size_t count, unsigned int flags) {
    seam_context *context = seam_current();
    if (context == NULL) return SEAM_REAL(getrandom)(bytes, count, flags);
    fill(context, bytes, count);
    return (ssize_t)count;
}

SEAM_EXPORT int getentropy(void *bytes, size_t count) {
    seam_context *context = seam_current();
    if (context == NULL) return SEAM_REAL(getentropy)(bytes, count);
    fill(context, bytes, count);
    return 0;
}

// The file of random bytes: a kernel's thread that opens it reads the stream from it until it is closed.

static __thread int random_file = -1;

static void remember_random_file(const char *path, int file) {
    if (file < 0 || path == NULL) return;
    // Another file got the number: the old one was closed behind our back.
    if (file == random_file) random_file = -1;
    if (seam_current() == NULL) return;
    if (strcmp(path, "/dev/urandom") == 0 || strcmp(path, "/dev/random") == 0) random_file = file;
}

SEAM_EXPORT int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    int file = SEAM_REAL(open)(path, flags, mode);
    remember_random_file(path, file);
    return file;
}

SEAM_EXPORT int open64(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    int file = SEAM_REAL(open64)(path, flags, mode);
    remember_random_file(path, file);
    return file;
}

SEAM_EXPORT ssize_t read(int file, void *bytes, size_t count) {
    seam_context *context = seam_current();
    if (context != NULL && file >= 0 && file == random_file) {
        fill(context, bytes, count);
        return (ssize_t)count;
    }
    return SEAM_REAL(read)(file, bytes, count);
}

SEAM_EXPORT int close(int file) {
    if (file >= 0 && file == random_file) random_file = -1;
    return SEAM_REAL(close)(file);
}

// libc's generators share hidden state between threads; on a kernel's thread they draw from the stream.

static uint32_t draw32(seam_context *context) {
    uint32_t value;
    fill(context, &value, sizeof value);
    return value;
}

SEAM_EXPORT int rand(void) {
    seam_context *context = seam_current();
    return context == NULL ? SEAM_REAL(rand)() : (int)(draw32(context) >> 1);
}

SEAM_EXPORT long random(void) {
    seam_context *context = seam_current();
    return context == NULL ? SEAM_REAL(random)() : (long)(draw32(context) >> 1);
}

SEAM_EXPORT uint32_t arc4random(void) {
    seam_context *context = seam_current();
    if (context != NULL) return draw32(context);
    uint32_t value;
    if (SEAM_REAL(getrandom)(&value, sizeof value, 0) != (ssize_t)sizeof value) abort();
    return value;
}

SEAM_EXPORT void arc4random_buf(void *bytes, size_t count) {
    seam_context *context = seam_current();
    if (context != NULL) {
        fill(context, bytes, count);
        return;
    }
    for (size_t done = 0; done < count;) {
        ssize_t got = SEAM_REAL(getrandom)((char *)bytes + done, count - done, 0);
        if (got < 0 && errno != EINTR) abort();
        if (got > 0) done += (size_t)got;
    }
}

SEAM_EXPORT uint32_t arc4random_uniform(uint32_t bound) {
    if (bound < 2) return 0;
    // Reject the incomplete last interval, so that every value is equally likely.
    uint32_t threshold = -bound % bound;
    for (;;) {
        uint32_t value = arc4random();
        if (value >= threshold) return value % bound;
    }
}
