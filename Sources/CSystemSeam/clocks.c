// Clocks and sleeps: virtual on a kernel's thread, untouched elsewhere.

#include "internal.h"
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

__thread seam_context *seam_thread_context;

void seam_no_real(const char *name) {
    fprintf(stderr, "windkanal: %s has no real definition: link libc dynamically\n", name);
    abort();
}

static int64_t wall_now(const seam_context *context) {
    const seam_wall_clock *wall = context->wall;
    __int128 elapsed = (__int128)(context->now - wall->since + context->slept);
    return (int64_t)(wall->wall_at + elapsed + elapsed * wall->drift_ppb / 1000000000);
}

static struct timespec timespec_of(int64_t nanoseconds) {
    // Before 1970 the fraction still counts upward.
    int64_t seconds = nanoseconds / 1000000000;
    int64_t fraction = nanoseconds % 1000000000;
    if (fraction < 0) {
        seconds -= 1;
        fraction += 1000000000;
    }
    return (struct timespec){.tv_sec = seconds, .tv_nsec = fraction};
}

SEAM_EXPORT int clock_gettime(clockid_t clock, struct timespec *result) {
    seam_context *context = seam_current();
    if (context == NULL) return SEAM_REAL(clock_gettime)(clock, result);
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
        *result = timespec_of(wall_now(context));
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        *result = timespec_of((int64_t)(context->monotonic_base + context->now + context->slept));
        return 0;
    default:
        // CPU time has no virtual counterpart.
        seam_leak_here(context, SEAM_LEAK_REAL_CLOCK);
        return SEAM_REAL(clock_gettime)(clock, result);
    }
}

SEAM_EXPORT int gettimeofday(struct timeval *restrict result, void *restrict zone) {
    seam_context *context = seam_current();
    if (context == NULL) return SEAM_REAL(gettimeofday)(result, zone);
    struct timespec now = timespec_of(wall_now(context));
    *result = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

SEAM_EXPORT time_t time(time_t *result) {
    seam_context *context = seam_current();
    time_t seconds = context == NULL ? SEAM_REAL(time)(NULL) : timespec_of(wall_now(context)).tv_sec;
    if (result != NULL) *result = seconds;
    return seconds;
}

SEAM_EXPORT int timespec_get(struct timespec *result, int base) {
    seam_context *context = seam_current();
    if (context == NULL) return SEAM_REAL(timespec_get)(result, base);
    *result = timespec_of(wall_now(context));
    return base;
}

SEAM_EXPORT clock_t clock(void) {
    seam_context *context = seam_current();
    if (context != NULL) seam_leak_here(context, SEAM_LEAK_REAL_CLOCK);
    return SEAM_REAL(clock)();
}

/// Whether a sleep must not happen: it was reported, and the run is strict.
static inline __attribute__((always_inline)) bool refuses_sleep(uint64_t nanoseconds) {
    seam_context *context = seam_current();
    if (context == NULL) return false;
    seam_leak_here(context, SEAM_LEAK_REAL_SLEEP);
    context->slept += nanoseconds;
    return context->strict;
}

static uint64_t nanoseconds_of(const struct timespec *time) {
    return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

/// How long a `clock_nanosleep` lasts, from what the clock shows now.
static uint64_t sleep_length(clockid_t clock, int flags, const struct timespec *request) {
    if ((flags & TIMER_ABSTIME) == 0) return nanoseconds_of(request);
    struct timespec now;
    clock_gettime(clock, &now);
    uint64_t end = nanoseconds_of(request), start = nanoseconds_of(&now);
    return end > start ? end - start : 0;
}

SEAM_EXPORT int nanosleep(const struct timespec *request, struct timespec *remaining) {
    return refuses_sleep(nanoseconds_of(request)) ? 0 : SEAM_REAL(nanosleep)(request, remaining);
}

SEAM_EXPORT int clock_nanosleep(
    clockid_t clock, int flags, const struct timespec *request, struct timespec *remaining
) {
    if (seam_current() != NULL && refuses_sleep(sleep_length(clock, flags, request))) return 0;
    return SEAM_REAL(clock_nanosleep)(clock, flags, request, remaining);
}

SEAM_EXPORT int usleep(useconds_t microseconds) {
    return refuses_sleep((uint64_t)microseconds * 1000u) ? 0 : SEAM_REAL(usleep)(microseconds);
}

SEAM_EXPORT unsigned int sleep(unsigned int seconds) {
    return refuses_sleep((uint64_t)seconds * 1000000000u) ? 0 : SEAM_REAL(sleep)(seconds);
}

static uint64_t real_nanoseconds(clockid_t clock) {
    struct timespec now;
    SEAM_REAL(clock_gettime)(clock, &now);
    return nanoseconds_of(&now);
}

uint64_t seam_real_monotonic(void) { return real_nanoseconds(CLOCK_MONOTONIC); }
uint64_t seam_thread_cpu(void) { return real_nanoseconds(CLOCK_THREAD_CPUTIME_ID); }

void seam_real_pause(uint64_t nanoseconds) {
    struct timespec pause = timespec_of((int64_t)nanoseconds);
    SEAM_REAL(nanosleep)(&pause, NULL);
}
