// Randomness: the system's sources answer from the kernel's seeded stream on its thread.
//
// SystemRandomNumberGenerator reaches the kernel by syscall(SYS_getrandom); BoringSSL and libc have their own ways. The file
// of random bytes is in random_file.c.

#include "internal.h"
#include <errno.h>
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

/// What is left of a futex' time limit: a length for some operations, a moment of a clock for others.
static uint64_t futex_limit(long operation, const struct timespec *limit) {
    bool is_moment = (operation & FUTEX_CMD_MASK) != FUTEX_WAIT;
    uint64_t value = seam_nanoseconds(limit);
    if (!is_moment) return value;
    struct timespec now;
    clock_gettime((operation & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
    uint64_t start = seam_nanoseconds(&now);
    return value > start ? value - start : 0;
}

/// Whether a futex operation waits.
static bool futex_waits(long operation) {
    switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
    case FUTEX_WAIT_REQUEUE_PI: return true;
    default: return false;
    }
}

/// What a system call is to a kernel's thread; true when it must not happen, and `result` is what it answers instead.
static bool refuses_call(seam_context *context, long number, const long *arguments, long *result) {
    seam_leak leak;
    *result = 0;
    switch (number) {
    case SYS_clock_gettime:
    case SYS_gettimeofday:
#ifdef SYS_time
    case SYS_time:
#endif
    case SYS_times:
    case SYS_getrusage:
        seam_leak_here(context, SEAM_LEAK_REAL_CLOCK);
        return false;
    case SYS_futex:
        // With a time limit: a semaphore of Dispatch, for example.
        if (arguments[3] == 0 || !futex_waits(arguments[1])) return false;
        context->slept += futex_limit(arguments[1], (const struct timespec *)arguments[3]);
        errno = ETIMEDOUT;
        *result = -1;
        leak = SEAM_LEAK_REAL_SLEEP;
        break;
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
    case SYS_ppoll:
    case SYS_pselect6:
    case SYS_epoll_pwait:
#ifdef SYS_poll
    case SYS_poll:
    case SYS_select:
    case SYS_epoll_wait:
#endif
        leak = SEAM_LEAK_REAL_SLEEP;
        break;
    case SYS_timerfd_settime:
    case SYS_timer_settime:
    case SYS_setitimer:
        leak = SEAM_LEAK_TIMER;
        break;
    case SYS_clone:
    case SYS_clone3:
    case SYS_execve:
    case SYS_execveat:
#ifdef SYS_fork
    case SYS_fork:
    case SYS_vfork:
#endif
        errno = ENOSYS;
        *result = -1;
        leak = SEAM_LEAK_PROCESS;
        break;
    default: return false;
    }
    seam_leak_here(context, leak);
    return context->strict;
}

SEAM_EXPORT long syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    long arguments[6];
    for (int i = 0; i < 6; i++) arguments[i] = va_arg(list, long);
    va_end(list);
    seam_context *context = seam_current();
    if (context != NULL) {
        if (number == SYS_getrandom) {
            fill(context, (void *)arguments[0], (size_t)arguments[1]);
            return arguments[1];
        }
        long result;
        if (refuses_call(context, number, arguments, &result)) return result;
    }
    return SEAM_REAL(syscall)(
        number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]
    );
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

SEAM_EXPORT double drand48(void) {
    seam_context *context = seam_current();
    if (context == NULL) return SEAM_REAL(drand48)();
    uint64_t value;
    fill(context, &value, sizeof value);
    return (double)(value >> 16) / 281474976710656.0;
}

SEAM_EXPORT long lrand48(void) {
    seam_context *context = seam_current();
    return context == NULL ? SEAM_REAL(lrand48)() : (long)(draw32(context) >> 1);
}

SEAM_EXPORT long mrand48(void) {
    seam_context *context = seam_current();
    return context == NULL ? SEAM_REAL(mrand48)() : (long)(int32_t)draw32(context);
}

#if defined(__x86_64__)
// OpenSSL and BoringSSL mix numbers of the processor's own into theirs, which nothing can make virtual; told by this variable
// that the processor has none, they ask the system. It is answered here, so that child processes do not inherit it.

SEAM_EXPORT char *getenv(const char *name) {
    static char without_rdrand[] = "~0x4000000000000000";
    char *value = SEAM_REAL(getenv)(name);
    return value == NULL && name[0] == 'O' && strcmp(name, "OPENSSL_ia32cap") == 0 ? without_rdrand : value;
}
#endif
