#define _GNU_SOURCE
#include "CSeamProbes.h"
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

// Names begin with what a run must call them.
static const char *const names[] = {
    "sleep ppoll", "sleep pselect", "sleep sigtimedwait", "sleep thrd_sleep", "sleep epoll_pwait", "sleep epoll_pwait2",
    "sleep sem_clockwait", "sleep pthread_cond_clockwait", "sleep pthread_mutex_clocklock", "sleep cnd_timedwait",
    "sleep futex-bitset", "sleep syscall-ppoll", "timer timerfd", "timer alarm", "timer socket", "timer setitimer",
    "thread thrd_create", "process posix_spawn", "process popen", "process fork", "process system", "clock getrusage",
    "clock times", "nothing free-lock", "nothing disarm", "nothing getrandom", NULL,
};

const char *seam_probe_names(long number) { return names[number]; }

static struct timespec soon(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    now.tv_nsec += 300000000;
    if (now.tv_nsec >= 1000000000) {
        now.tv_sec += 1;
        now.tv_nsec -= 1000000000;
    }
    return now;
}

static int nothing(void *argument) { (void)argument; return 0; }

#define EXPECT(condition) do { if (!(condition)) return #condition; } while (0)

const char *seam_probe(const char *full) {
    const char *name = strchr(full, ' ') + 1;
    struct timespec limit = {0, 300000000}, moment;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    if (strcmp(name, "ppoll") == 0) EXPECT(ppoll(NULL, 0, &limit, NULL) == 0);
    if (strcmp(name, "pselect") == 0) EXPECT(pselect(0, NULL, NULL, NULL, &limit, NULL) == 0);
    if (strcmp(name, "sigtimedwait") == 0) {
        sigset_t signals;
        sigemptyset(&signals);
        EXPECT(sigtimedwait(&signals, NULL, &limit) == -1 && errno == EAGAIN);
    }
    if (strcmp(name, "thrd_sleep") == 0) EXPECT(thrd_sleep(&limit, NULL) == 0);
    if (strcmp(name, "epoll_pwait") == 0) {
        struct epoll_event event;
        EXPECT(epoll_pwait(-1, &event, 1, 300, NULL) == 0);
    }
    if (strcmp(name, "epoll_pwait2") == 0) {
        struct epoll_event event;
        EXPECT(epoll_pwait2(-1, &event, 1, &limit, NULL) == 0);
    }
    if (strcmp(name, "sem_clockwait") == 0) {
        sem_t semaphore;
        sem_init(&semaphore, 0, 0);
        moment = soon(CLOCK_MONOTONIC);
        EXPECT(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &moment) == -1 && errno == ETIMEDOUT);
    }
    if (strcmp(name, "pthread_cond_clockwait") == 0) {
        pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
        pthread_mutex_lock(&mutex);
        moment = soon(CLOCK_MONOTONIC);
        EXPECT(pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &moment) == ETIMEDOUT);
    }
    if (strcmp(name, "pthread_mutex_clocklock") == 0) {
        pthread_mutex_lock(&mutex);
        moment = soon(CLOCK_MONOTONIC);
        EXPECT(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &moment) == ETIMEDOUT);
    }
    if (strcmp(name, "cnd_timedwait") == 0) {
        cnd_t condition;
        mtx_t lock;
        cnd_init(&condition);
        mtx_init(&lock, mtx_plain);
        mtx_lock(&lock);
        moment = soon(CLOCK_REALTIME);
        EXPECT(cnd_timedwait(&condition, &lock, &moment) == thrd_timedout);
    }
    if (strcmp(name, "futex-bitset") == 0) {
        unsigned word = 0;
        moment = soon(CLOCK_MONOTONIC);
        long answer = syscall(
            SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, &moment, NULL, FUTEX_BITSET_MATCH_ANY
        );
        EXPECT(answer == -1 && errno == ETIMEDOUT);
    }
    if (strcmp(name, "syscall-ppoll") == 0) EXPECT(syscall(SYS_ppoll, NULL, 0, &limit, NULL, 8) == 0);
    if (strcmp(name, "timerfd") == 0) {
        int file = timerfd_create(CLOCK_MONOTONIC, 0);
        struct itimerspec value = {.it_value = {1, 0}};
        int answer = timerfd_settime(file, 0, &value, NULL);
        struct itimerspec left;
        timerfd_gettime(file, &left);
        close(file);
        EXPECT(answer == 0 && left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
    }
    if (strcmp(name, "alarm") == 0) EXPECT(alarm(1000) == 0 && alarm(0) == 0);
    if (strcmp(name, "socket") == 0) {
        struct timeval time = {1, 0};
        setsockopt(-1, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    }
    if (strcmp(name, "setitimer") == 0) {
        struct itimerval value = {.it_value = {1000, 0}};
        EXPECT(setitimer(ITIMER_REAL, &value, NULL) == 0);
    }
    if (strcmp(name, "thrd_create") == 0) {
        thrd_t thread;
        if (thrd_create(&thread, nothing, NULL) == thrd_success) thrd_join(thread, NULL);
    }
    if (strcmp(name, "posix_spawn") == 0) {
        pid_t process;
        char *arguments[] = {NULL};
        EXPECT(posix_spawn(&process, "/bin/true", NULL, NULL, arguments, arguments) != 0);
    }
    if (strcmp(name, "popen") == 0) EXPECT(popen("true", "r") == NULL);
    if (strcmp(name, "fork") == 0) {
        pid_t process = fork();
        if (process == 0) _exit(0);
        EXPECT(process == -1);
    }
    if (strcmp(name, "system") == 0) EXPECT(system("true") == -1);
    if (strcmp(name, "getrusage") == 0) {
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
    }
    if (strcmp(name, "times") == 0) {
        struct tms buffer;
        times(&buffer);
    }
    if (strcmp(name, "free-lock") == 0) {
        moment = soon(CLOCK_REALTIME);
        EXPECT(pthread_mutex_timedlock(&mutex, &moment) == 0);
    }
    if (strcmp(name, "disarm") == 0) alarm(0);
    if (strcmp(name, "getrandom") == 0) EXPECT(getrandom(NULL, 0, 0) == 0 && syscall(SYS_getrandom, NULL, 0, 0) == 0);
    return NULL;
}

const char *library_with(const char *symbol) {
    Dl_info info;
    void *address = dlsym(RTLD_DEFAULT, symbol);
    return address != NULL && dladdr(address, &info) != 0 ? info.dli_fname : NULL;
}

long uptime_of_sysinfo(void) {
    struct sysinfo info;
    return sysinfo(&info) == 0 ? info.uptime : -1;
}

// A destructor that gives its value back is called again, as often as POSIX has it: the last time is after everybody else's.

static pthread_key_t last_key;

struct last_calls {
    long wanted, done, rounds;
};

__attribute__((disable_sanitizer_instrumentation)) static void call_at_end(void *value) {
    struct last_calls *calls = value;
    calls->rounds += 1;
    if (calls->rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
        pthread_setspecific(last_key, calls);
        return;
    }
    for (; calls->done < calls->wanted; calls->done++) {
        struct timespec now;
        char byte;
        syscall(SYS_gettid);
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (read(-1, &byte, 1) >= 0 || close(-1) == 0) return;
    }
}

static void *end_with_calls(void *value) {
    pthread_setspecific(last_key, value);
    return NULL;
}

long calls_at_thread_end(long count) {
    struct last_calls calls = {.wanted = count};
    pthread_t thread;
    if (pthread_key_create(&last_key, call_at_end) != 0) return -1;
    if (pthread_create(&thread, NULL, end_with_calls, &calls) != 0) return -1;
    pthread_join(thread, NULL);
    pthread_key_delete(last_key);
    return calls.done;
}
