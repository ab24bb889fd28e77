// Waits with a time limit, which are sleeps by another name, and timers: they do not happen in a strict run.
//
// A limit that is a moment is one of a virtual clock. Where the run goes on, it is waited for as long as is left of it.
// Files are waited for without a limit by event loops; in a simulation nothing would come. Other waits without a limit are the
// watchdog's.

#include "internal.h"
#include <aio.h>
#include <errno.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/// Reports a wait; whether it must not happen.
SEAM_ON_THE_WAY bool refuses_wait(seam_context *context, uint64_t nanoseconds) {
    seam_leak_here(context, SEAM_LEAK_REAL_SLEEP);
    context->slept += nanoseconds;
    return context->strict;
}

SEAM_ON_THE_WAY bool refuses_sleep(uint64_t nanoseconds) {
    seam_context *context = seam_current();
    return context != NULL && refuses_wait(context, nanoseconds);
}

SEAM_ON_THE_WAY uint64_t milliseconds_of(int milliseconds) { return (uint64_t)milliseconds * 1000000u; }
SEAM_ON_THE_WAY uint64_t microseconds_of(const struct timeval *time) {
    return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_usec * 1000u;
}

/// What is left until a moment of a virtual clock.
static uint64_t left_until(clockid_t clock, const struct timespec *moment) {
    struct timespec now;
    clock_gettime(clock, &now);
    uint64_t end = seam_nanoseconds(moment), start = seam_nanoseconds(&now);
    return end > start ? end - start : 0;
}

/// The same moment on the real clock, so far from now.
static struct timespec real_moment(clockid_t clock, uint64_t length) {
    struct timespec now;
    SEAM_REAL(clock_gettime)(clock, &now);
    return seam_timespec((int64_t)(seam_nanoseconds(&now) + length));
}

/// The clock of a moment that does not say which: a condition may have been made for the monotonic one.
static clockid_t likely_clock(const struct timespec *moment) {
    return moment->tv_sec < 100000000 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

// Sleeps

SEAM_EXPORT int nanosleep(const struct timespec *request, struct timespec *remaining) {
    return refuses_sleep(seam_nanoseconds(request)) ? 0 : SEAM_REAL(nanosleep)(request, remaining);
}

SEAM_EXPORT int clock_nanosleep(
    clockid_t clock, int flags, const struct timespec *request, struct timespec *remaining
) {
    if (seam_current() == NULL) return SEAM_REAL(clock_nanosleep)(clock, flags, request, remaining);
    uint64_t length = (flags & TIMER_ABSTIME) != 0 ? left_until(clock, request) : seam_nanoseconds(request);
    if (!refuses_sleep(length)) seam_real_pause(length);
    return 0;
}

SEAM_EXPORT int usleep(useconds_t microseconds) {
    return refuses_sleep((uint64_t)microseconds * 1000u) ? 0 : SEAM_REAL(usleep)(microseconds);
}

SEAM_EXPORT unsigned int sleep(unsigned int seconds) {
    return refuses_sleep((uint64_t)seconds * 1000000000u) ? 0 : SEAM_REAL(sleep)(seconds);
}

SEAM_EXPORT int thrd_sleep(const struct timespec *request, struct timespec *remaining) {
    return refuses_sleep(seam_nanoseconds(request)) ? 0 : SEAM_REAL(thrd_sleep)(request, remaining);
}

// Waits for a length of time, or for ever: `has_limit` says which, and in a strict run the answer is `refused` at once.

/// What clocks show of a wait without a limit: who asks again until a clock says so, ends.
static const uint64_t ENDLESS_WAIT = 1000000000;

#define SEAM_WAITS(result, name, parameters, has_limit, length, refused, ...)            \
    extern result name parameters;                                                       \
    SEAM_EXPORT result name parameters {                                                 \
        if (seam_current() != NULL && (!(has_limit) || (length) > 0) && refuses_sleep((has_limit) ? (length) : ENDLESS_WAIT)) { \
            refused;                                                                     \
        }                                                                                \
        return SEAM_REAL(name)(__VA_ARGS__);                                             \
    }

#define TIMED_OUT errno = EAGAIN; return -1

SEAM_WAITS(
    int, poll, (struct pollfd *files, nfds_t count, int limit), limit >= 0, milliseconds_of(limit), return 0, files,
    count, limit
)
SEAM_WAITS(
    int, __poll_chk, (struct pollfd *files, nfds_t count, int limit, size_t size), limit >= 0, milliseconds_of(limit),
    return 0, files, count, limit, size
)
SEAM_WAITS(
    int, ppoll, (struct pollfd *files, nfds_t count, const struct timespec *limit, const sigset_t *signals),
    limit != NULL, seam_nanoseconds(limit), return 0, files, count, limit, signals
)
SEAM_WAITS(
    int, __ppoll_chk,
    (struct pollfd *files, nfds_t count, const struct timespec *limit, const sigset_t *signals, size_t size),
    limit != NULL, seam_nanoseconds(limit), return 0, files, count, limit, signals, size
)
SEAM_WAITS(
    int, select, (int count, fd_set *reads, fd_set *writes, fd_set *errors, struct timeval *limit), limit != NULL,
    microseconds_of(limit), return 0, count, reads, writes, errors, limit
)
SEAM_WAITS(
    int, pselect,
    (int count, fd_set *reads, fd_set *writes, fd_set *errors, const struct timespec *limit, const sigset_t *signals),
    limit != NULL, seam_nanoseconds(limit), return 0, count, reads, writes, errors, limit, signals
)
SEAM_WAITS(
    int, epoll_wait, (int file, struct epoll_event *events, int count, int limit), limit >= 0, milliseconds_of(limit),
    return 0, file, events, count, limit
)
SEAM_WAITS(
    int, epoll_pwait, (int file, struct epoll_event *events, int count, int limit, const sigset_t *signals), limit >= 0,
    milliseconds_of(limit), return 0, file, events, count, limit, signals
)
SEAM_WAITS(
    int, epoll_pwait2,
    (int file, struct epoll_event *events, int count, const struct timespec *limit, const sigset_t *signals),
    limit != NULL, seam_nanoseconds(limit), return 0, file, events, count, limit, signals
)
SEAM_WAITS(
    int, sigtimedwait, (const sigset_t *signals, siginfo_t *info, const struct timespec *limit), limit != NULL,
    seam_nanoseconds(limit), TIMED_OUT, signals, info, limit
)
SEAM_WAITS(
    int, semtimedop, (int semaphore, struct sembuf *operations, size_t count, const struct timespec *limit),
    limit != NULL, seam_nanoseconds(limit), TIMED_OUT, semaphore, operations, count, limit
)
SEAM_WAITS(
    int, recvmmsg, (int file, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *limit),
    limit != NULL, seam_nanoseconds(limit), TIMED_OUT, file, messages, count, flags, limit
)
SEAM_WAITS(
    int, aio_suspend, (const struct aiocb *const requests[], int count, const struct timespec *limit), limit != NULL,
    seam_nanoseconds(limit), TIMED_OUT, requests, count, limit
)
SEAM_WAITS(
    int, gai_suspend, (const struct gaicb *const requests[], int count, const struct timespec *limit), limit != NULL,
    seam_nanoseconds(limit), return EAI_AGAIN, requests, count, limit
)

// Waits until a moment. What can be had without waiting is had: a free lock makes nobody wait.

#define SEAM_WAITS_UNTIL(name, parameters, moment, clock, at_once, refused, real)        \
    SEAM_EXPORT int name parameters {                                                    \
        seam_context *context = seam_current();                                          \
        if (context == NULL) return SEAM_REAL_OR_SANITIZERS(name) real(moment);                        \
        int status = at_once;                                                            \
        if (status == 0) return 0;                                                       \
        uint64_t length = left_until(clock, moment);                                     \
        if (refuses_wait(context, length)) {                                             \
            refused;                                                                     \
        }                                                                                \
        struct timespec later = real_moment(clock, length);                              \
        return SEAM_REAL_OR_SANITIZERS(name) real(&later);                                             \
    }

#define TIMED_OUT_BY_ERRNO errno = ETIMEDOUT; return -1
#define NEVER_AT_ONCE -1

#define WITH_TWO(moment) (condition, mutex, moment)
SEAM_WAITS_UNTIL(
    pthread_cond_timedwait,
    (pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict moment), moment,
    likely_clock(moment), NEVER_AT_ONCE, return ETIMEDOUT, WITH_TWO
)
SEAM_WAITS_UNTIL(
    cnd_timedwait, (cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict moment), moment,
    CLOCK_REALTIME, NEVER_AT_ONCE, return thrd_timedout, WITH_TWO
)
#define WITH_CLOCK(moment) (condition, mutex, clock, moment)
SEAM_WAITS_UNTIL(
    pthread_cond_clockwait,
    (pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, clockid_t clock,
     const struct timespec *restrict moment),
    moment, clock, NEVER_AT_ONCE, return ETIMEDOUT, WITH_CLOCK
)
#define ON_LOCK(moment) (lock, moment)
#define ON_LOCK_WITH_CLOCK(moment) (lock, clock, moment)
SEAM_WAITS_UNTIL(
    pthread_mutex_timedlock, (pthread_mutex_t *restrict lock, const struct timespec *restrict moment), moment,
    CLOCK_REALTIME, pthread_mutex_trylock(lock), return ETIMEDOUT, ON_LOCK
)
SEAM_WAITS_UNTIL(
    pthread_mutex_clocklock, (pthread_mutex_t *restrict lock, clockid_t clock, const struct timespec *restrict moment),
    moment, clock, pthread_mutex_trylock(lock), return ETIMEDOUT, ON_LOCK_WITH_CLOCK
)
SEAM_WAITS_UNTIL(
    pthread_rwlock_timedrdlock, (pthread_rwlock_t *restrict lock, const struct timespec *restrict moment), moment,
    CLOCK_REALTIME, pthread_rwlock_tryrdlock(lock), return ETIMEDOUT, ON_LOCK
)
SEAM_WAITS_UNTIL(
    pthread_rwlock_timedwrlock, (pthread_rwlock_t *restrict lock, const struct timespec *restrict moment), moment,
    CLOCK_REALTIME, pthread_rwlock_trywrlock(lock), return ETIMEDOUT, ON_LOCK
)
SEAM_WAITS_UNTIL(
    pthread_rwlock_clockrdlock,
    (pthread_rwlock_t *restrict lock, clockid_t clock, const struct timespec *restrict moment), moment, clock,
    pthread_rwlock_tryrdlock(lock), return ETIMEDOUT, ON_LOCK_WITH_CLOCK
)
SEAM_WAITS_UNTIL(
    pthread_rwlock_clockwrlock,
    (pthread_rwlock_t *restrict lock, clockid_t clock, const struct timespec *restrict moment), moment, clock,
    pthread_rwlock_trywrlock(lock), return ETIMEDOUT, ON_LOCK_WITH_CLOCK
)
SEAM_WAITS_UNTIL(
    mtx_timedlock, (mtx_t *restrict lock, const struct timespec *restrict moment), moment, CLOCK_REALTIME,
    mtx_trylock(lock), return thrd_timedout, ON_LOCK
)
SEAM_WAITS_UNTIL(
    sem_timedwait, (sem_t *restrict lock, const struct timespec *restrict moment), moment, CLOCK_REALTIME,
    sem_trywait(lock), TIMED_OUT_BY_ERRNO, ON_LOCK
)
SEAM_WAITS_UNTIL(
    sem_clockwait, (sem_t *restrict lock, clockid_t clock, const struct timespec *restrict moment), moment, clock,
    sem_trywait(lock), TIMED_OUT_BY_ERRNO, ON_LOCK_WITH_CLOCK
)
#define ON_THREAD(moment) (thread, result, moment)
#define ON_THREAD_WITH_CLOCK(moment) (thread, result, clock, moment)
SEAM_WAITS_UNTIL(
    pthread_timedjoin_np, (pthread_t thread, void **result, const struct timespec *moment), moment, CLOCK_REALTIME,
    pthread_tryjoin_np(thread, result), return ETIMEDOUT, ON_THREAD
)
SEAM_WAITS_UNTIL(
    pthread_clockjoin_np, (pthread_t thread, void **result, clockid_t clock, const struct timespec *moment), moment,
    clock, pthread_tryjoin_np(thread, result), return ETIMEDOUT, ON_THREAD_WITH_CLOCK
)

SEAM_EXPORT ssize_t mq_timedreceive(
    mqd_t queue, char *restrict bytes, size_t size, unsigned *restrict priority, const struct timespec *restrict moment
) {
    if (seam_current() != NULL && refuses_sleep(left_until(CLOCK_REALTIME, moment))) {
        TIMED_OUT_BY_ERRNO;
    }
    return SEAM_REAL(mq_timedreceive)(queue, bytes, size, priority, moment);
}

SEAM_EXPORT int mq_timedsend(
    mqd_t queue, const char *bytes, size_t size, unsigned priority, const struct timespec *moment
) {
    if (seam_current() != NULL && refuses_sleep(left_until(CLOCK_REALTIME, moment))) {
        TIMED_OUT_BY_ERRNO;
    }
    return SEAM_REAL(mq_timedsend)(queue, bytes, size, priority, moment);
}

// Timers of the system: they would go off in real time. To disarm one is allowed.

/// Reports a timer; whether it must not be set.
///
/// Who waits for it is shown that its time has passed.
SEAM_ON_THE_WAY bool refuses_timer(uint64_t nanoseconds) {
    seam_context *context = seam_current();
    if (context == NULL || nanoseconds == 0) return false;
    seam_leak_here(context, SEAM_LEAK_TIMER);
    if (context->strict) context->slept += nanoseconds;
    return context->strict;
}

SEAM_EXPORT int timerfd_settime(int file, int flags, const struct itimerspec *value, struct itimerspec *old) {
    uint64_t length = seam_nanoseconds(&value->it_value);
    if (length > 0 && seam_current() != NULL && (flags & TFD_TIMER_ABSTIME) != 0) {
        length = left_until(likely_clock(&value->it_value), &value->it_value) + 1;
    }
    return refuses_timer(length) ? 0 : SEAM_REAL(timerfd_settime)(file, flags, value, old);
}

SEAM_EXPORT int timer_settime(timer_t timer, int flags, const struct itimerspec *value, struct itimerspec *old) {
    return refuses_timer(seam_nanoseconds(&value->it_value)) ? 0 : SEAM_REAL(timer_settime)(timer, flags, value, old);
}

SEAM_EXPORT int setitimer(
    __itimer_which_t which, const struct itimerval *restrict value, struct itimerval *restrict old
) {
    return refuses_timer(value == NULL ? 0 : microseconds_of(&value->it_value)) ? 0 : SEAM_REAL(setitimer)(which, value, old);
}

SEAM_EXPORT unsigned int alarm(unsigned int seconds) {
    return refuses_timer((uint64_t)seconds * 1000000000u) ? 0 : SEAM_REAL(alarm)(seconds);
}

SEAM_EXPORT useconds_t ualarm(useconds_t value, useconds_t interval) {
    return refuses_timer((uint64_t)value * 1000u) ? 0 : SEAM_REAL(ualarm)(value, interval);
}

SEAM_EXPORT int setsockopt(int file, int level, int name, const void *value, socklen_t size) {
    bool limits = level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO)
        && size >= sizeof(struct timeval);
    return limits && refuses_timer(microseconds_of(value)) ? 0 : SEAM_REAL(setsockopt)(file, level, name, value, size);
}
