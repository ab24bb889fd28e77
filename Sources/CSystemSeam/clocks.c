// Clocks: virtual on a kernel's thread, untouched elsewhere.

#include "internal.h"
#include <errno.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timeb.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <time.h>

__thread seam_context *seam_thread_context;

void seam_no_real(const char *name) {
    fprintf(stderr, "windkanal: %s has no real definition: link libc dynamically\n", name);
    abort();
}

static int64_t wall_now(seam_context *context) {
    if (context->runs_actor_job) context->sync_host(context->kernel);
    const seam_wall_clock *wall = context->wall;
    __int128 elapsed = (__int128)(context->now - wall->since + context->slept);
    return (int64_t)(wall->wall_at + elapsed + elapsed * wall->drift_ppb / 1000000000);
}

struct timespec seam_timespec(int64_t nanoseconds) {
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
    seam_unwind_read(context);
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
        *result = seam_timespec(wall_now(context));
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        *result = seam_timespec((int64_t)(context->monotonic_base + context->now + context->slept));
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
    struct timespec now = seam_timespec(wall_now(context));
    *result = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

SEAM_EXPORT time_t time(time_t *result) {
    seam_context *context = seam_current();
    time_t seconds = context == NULL ? SEAM_REAL(time)(NULL) : seam_timespec(wall_now(context)).tv_sec;
    if (result != NULL) *result = seconds;
    return seconds;
}

SEAM_EXPORT int timespec_get(struct timespec *result, int base) {
    seam_context *context = seam_current();
    if (context == NULL) return SEAM_REAL(timespec_get)(result, base);
    *result = seam_timespec(wall_now(context));
    return base;
}

SEAM_EXPORT clock_t clock(void) {
    seam_context *context = seam_current();
    if (context != NULL) seam_leak_here(context, SEAM_LEAK_REAL_CLOCK);
    return SEAM_REAL(clock)();
}

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
SEAM_EXPORT int ftime(struct timeb *result) {
    seam_context *context = seam_current();
    if (context == NULL) return SEAM_REAL(ftime)(result);
    struct timespec now = seam_timespec(wall_now(context));
    *result = (struct timeb){.time = now.tv_sec, .millitm = (unsigned short)(now.tv_nsec / 1000000)};
    return 0;
}
#pragma clang diagnostic pop

SEAM_EXPORT int sysinfo(struct sysinfo *result) {
    int status = SEAM_REAL(sysinfo)(result);
    seam_context *context = seam_current();
    if (context != NULL && status == 0)
        result->uptime = (long)((context->monotonic_base + context->now + context->slept) / 1000000000u);
    return status;
}

// CPU time, and the discipline of the real clock: they have no virtual counterpart.

#define SEAM_REAL_CLOCK(result, name, parameters, ...)                                   \
    SEAM_EXPORT result name parameters {                                                 \
        seam_context *context = seam_current();                                          \
        if (context != NULL) seam_leak_here(context, SEAM_LEAK_REAL_CLOCK);              \
        return SEAM_REAL(name)(__VA_ARGS__);                                             \
    }

SEAM_REAL_CLOCK(clock_t, times, (struct tms *result), result)
SEAM_REAL_CLOCK(int, getrusage, (__rusage_who_t who, struct rusage *usage), who, usage)
SEAM_REAL_CLOCK(int, adjtimex, (struct timex *state), state)
SEAM_REAL_CLOCK(int, clock_adjtime, (clockid_t clock, struct timex *state), clock, state)
SEAM_REAL_CLOCK(int, ntp_adjtime, (struct timex *state), state)
SEAM_REAL_CLOCK(int, ntp_gettimex, (struct ntptimeval *state), state)
SEAM_REAL_CLOCK(int, adjtime, (const struct timeval *change, struct timeval *rest), change, rest)

/// Whether a change of the machine's clock must not happen.
SEAM_ON_THE_WAY bool refuses_setting(void) {
    seam_context *context = seam_current();
    if (context == NULL) return false;
    seam_leak_here(context, SEAM_LEAK_REAL_CLOCK);
    errno = EPERM;
    return true;
}

SEAM_EXPORT int clock_settime(clockid_t clock, const struct timespec *time) {
    return refuses_setting() ? -1 : SEAM_REAL(clock_settime)(clock, time);
}

SEAM_EXPORT int settimeofday(const struct timeval *time, const struct timezone *zone) {
    return refuses_setting() ? -1 : SEAM_REAL(settimeofday)(time, zone);
}

static uint64_t real_nanoseconds(clockid_t clock) {
    struct timespec now;
    SEAM_REAL(clock_gettime)(clock, &now);
    return seam_nanoseconds(&now);
}

uint64_t seam_real_monotonic(void) { return real_nanoseconds(CLOCK_MONOTONIC); }
uint64_t seam_thread_cpu(void) { return real_nanoseconds(CLOCK_THREAD_CPUTIME_ID); }

void seam_real_pause(uint64_t nanoseconds) {
    struct timespec pause = seam_timespec((int64_t)nanoseconds);
    SEAM_REAL(nanosleep)(&pause, NULL);
}
