// Clocks and sleeps: virtual on a kernel's thread, untouched elsewhere.

#include "internal.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

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
    seam_unwind_read(context);
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
    if (seam_current() == NULL) return SEAM_REAL(clock_nanosleep)(clock, flags, request, remaining);
    // A deadline is one of the virtual clock: what is left of it is slept for.
    uint64_t length = sleep_length(clock, flags, request);
    if (!refuses_sleep(length)) seam_real_pause(length);
    return 0;
}

SEAM_EXPORT int usleep(useconds_t microseconds) {
    return refuses_sleep((uint64_t)microseconds * 1000u) ? 0 : SEAM_REAL(usleep)(microseconds);
}

SEAM_EXPORT unsigned int sleep(unsigned int seconds) {
    return refuses_sleep((uint64_t)seconds * 1000000000u) ? 0 : SEAM_REAL(sleep)(seconds);
}

// Waits with a time limit: a sleep by another name.

SEAM_EXPORT int poll(struct pollfd *files, nfds_t count, int milliseconds) {
    if (milliseconds > 0 && refuses_sleep((uint64_t)milliseconds * 1000000u)) return 0;
    return SEAM_REAL(poll)(files, count, milliseconds);
}

SEAM_EXPORT int select(int count, fd_set *reads, fd_set *writes, fd_set *errors, struct timeval *limit) {
    uint64_t length = limit == NULL ? 0 : (uint64_t)limit->tv_sec * 1000000000u + (uint64_t)limit->tv_usec * 1000u;
    if (length > 0 && refuses_sleep(length)) return 0;
    return SEAM_REAL(select)(count, reads, writes, errors, limit);
}

SEAM_EXPORT int epoll_wait(int file, struct epoll_event *events, int count, int milliseconds) {
    if (milliseconds > 0 && refuses_sleep((uint64_t)milliseconds * 1000000u)) return 0;
    return SEAM_REAL(epoll_wait)(file, events, count, milliseconds);
}

/// What is left until a deadline of the virtual wall clock.
static uint64_t until_wall(const struct timespec *deadline) {
    return sleep_length(CLOCK_REALTIME, TIMER_ABSTIME, deadline);
}

/// A deadline of the real wall clock, so far from now.
static struct timespec real_deadline(uint64_t length) {
    struct timespec now;
    SEAM_REAL(clock_gettime)(CLOCK_REALTIME, &now);
    return timespec_of((int64_t)(nanoseconds_of(&now) + length));
}

SEAM_EXPORT int pthread_cond_timedwait(
    pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict deadline
) {
    if (seam_current() == NULL) return SEAM_REAL(pthread_cond_timedwait)(condition, mutex, deadline);
    uint64_t length = until_wall(deadline);
    if (refuses_sleep(length)) return ETIMEDOUT;
    struct timespec real = real_deadline(length);
    return SEAM_REAL(pthread_cond_timedwait)(condition, mutex, &real);
}

SEAM_EXPORT int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline) {
    if (seam_current() == NULL) return SEAM_REAL(sem_timedwait)(semaphore, deadline);
    uint64_t length = until_wall(deadline);
    if (refuses_sleep(length)) {
        errno = ETIMEDOUT;
        return -1;
    }
    struct timespec real = real_deadline(length);
    return SEAM_REAL(sem_timedwait)(semaphore, &real);
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
