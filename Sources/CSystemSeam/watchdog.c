// The watchdog: one thread of the process that notices when a kernel's thread dispatches nothing for too long.
//
// It asks the stuck thread for its stack by a signal, so that the failure says where; a system call that waits may end
// early because of it, which is as well. A thread that stays stuck past
// the fatal limit can be neither unwound nor waited for: the process ends with that message.

#include "internal.h"
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { WATCHES_MAX = SEAM_KERNELS_MAX, EXIT_STUCK = 70 };

typedef struct {
    seam_context *context;
    pthread_t thread;
    uint64_t limit, fatal, seed;
    uint64_t seen, since;
    // Written by the signal handler on the stuck thread, then read by the watchdog or the kernel.
    uintptr_t stack[SEAM_STACK_DEPTH];
    int depth;
    bool asked, answered;
    uint64_t stuck;
} watch;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static watch watches[WATCHES_MAX];
static __thread watch *own_watch;
static bool running;

/// ThreadSanitizer's own documentation says 5 to 15 times.
enum { SANITIZER_SLOWDOWN = 10 };

int seam_sanitizer_slowdown(void) {
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
    return SANITIZER_SLOWDOWN;
#else
    return 1;
#endif
}

static int stack_signal(void) { return SIGRTMIN + 6; }

static void on_stack_signal(int number, siginfo_t *info, void *raw) {
    (void)number, (void)info;
    watch *watch = own_watch;
    if (watch == NULL) return;
    ucontext_t *machine = raw;
#if defined(__x86_64__)
    uintptr_t counter = (uintptr_t)machine->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    uintptr_t counter = (uintptr_t)machine->uc_mcontext.pc;
#else
#error "The watchdog knows x86-64 and arm64."
#endif
    enum { HANDLER = 8 };
    void *found[SEAM_STACK_DEPTH + HANDLER];
    int count = backtrace(found, SEAM_STACK_DEPTH + HANDLER);
    // What comes before the interrupted place is this handler.
    int start = 0;
    while (start < count && (uintptr_t)found[start] != counter) start++;
    watch->depth = 0;
    for (int i = start; i < count && watch->depth < SEAM_STACK_DEPTH; i++)
        watch->stack[watch->depth++] = (uintptr_t)found[i];
    __atomic_store_n(&watch->answered, true, __ATOMIC_RELEASE);
}

static void print_fatal(const watch *watch, uint64_t stuck) {
    fprintf(
        stderr, "windkanal: the kernel's thread is stuck for %.1f s (limit %.1f s), seed %llu; virtual time %.9f s\n",
        (double)stuck / 1e9, (double)watch->limit / 1e9, (unsigned long long)watch->seed,
        (double)watch->context->now / 1e9
    );
    for (int i = 0; i < watch->depth; i++) {
        const char *name = seam_symbol(watch->stack[i]);
        char *readable = name == NULL ? NULL : seam_demangle(name);
        fprintf(stderr, "  in %s\n", readable != NULL ? readable : name != NULL ? name : "?");
        free(readable);
    }
    fprintf(stderr, "windkanal: it cannot be unwound; ending the process with status %d\n", EXIT_STUCK);
    fflush(stderr);
}

static void check(watch *watch, uint64_t now) {
    if (now > watch->context->wall_deadline) __atomic_store_n(&watch->context->attention, true, __ATOMIC_RELEASE);
    if (watch->limit == 0) return;
    uint64_t heartbeat = __atomic_load_n(&watch->context->heartbeat, __ATOMIC_RELAXED);
    if (heartbeat != watch->seen) {
        watch->seen = heartbeat;
        watch->since = now;
        watch->asked = false;
        return;
    }
    uint64_t stuck = now - watch->since;
    if (stuck < watch->limit) return;
    watch->stuck = stuck;
    __atomic_store_n(&watch->context->attention, true, __ATOMIC_RELEASE);
    if (!watch->asked) {
        watch->asked = true;
#if !__has_feature(thread_sanitizer)
        // ThreadSanitizer would deliver it late, or to a thread that is ending.
        pthread_kill(watch->thread, stack_signal());
#endif
    }
    if (stuck >= watch->fatal) {
        print_fatal(watch, stuck);
        _exit(EXIT_STUCK);
    }
}

static void *patrol(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        uint64_t pause = 1000000000;
        uint64_t now = seam_real_monotonic();
        int count = 0;
        for (int i = 0; i < WATCHES_MAX; i++) {
            if (watches[i].context == NULL) continue;
            count += 1;
            check(&watches[i], now);
            if (watches[i].limit != 0 && watches[i].limit / 4 < pause) pause = watches[i].limit / 4;
        }
        if (count == 0) {
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        if (pause < 1000000) pause = 1000000;
        uint64_t until = now + pause;
        struct timespec deadline = {.tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000)};
        pthread_cond_timedwait(&changed, &lock, &deadline);
    }
    return NULL;
}

static void start_patrol(void) {
    // Loads the unwinder now: a signal handler must not.
    void *warm[1];
    backtrace(warm, 1);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_stack_signal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(stack_signal(), &action, NULL);
    seam_install_traps();
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    pthread_t thread;
    if (SEAM_REAL_OR_SANITIZERS(pthread_create)(&thread, NULL, patrol, NULL) == 0) pthread_detach(thread);
    running = true;
}

void seam_watch(seam_context *context, uint64_t limit, uint64_t fatal, uint64_t seed) {
    pthread_mutex_lock(&lock);
    if (!running) start_patrol();
    for (int i = 0; i < WATCHES_MAX; i++) {
        if (watches[i].context != NULL) continue;
        memset(&watches[i], 0, sizeof watches[i]);
        watches[i] = (watch){.thread = pthread_self(), .limit = limit, .fatal = fatal, .seed = seed};
        watches[i].seen = __atomic_load_n(&context->heartbeat, __ATOMIC_RELAXED);
        watches[i].since = seam_real_monotonic();
        watches[i].context = context;
        own_watch = &watches[i];
        context->seed = seed;
        break;
    }
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

void seam_unwatch(seam_context *context) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < WATCHES_MAX; i++) {
        if (watches[i].context == context) watches[i].context = NULL;
    }
    own_watch = NULL;
    pthread_mutex_unlock(&lock);
}

bool seam_was_stuck(seam_context *context, uint64_t *nanoseconds, uintptr_t *stack, int *depth) {
    watch *watch = own_watch;
    if (watch == NULL || watch->context != context) return false;
    pthread_mutex_lock(&lock);
    bool found = watch->stuck != 0;
    if (found) {
        *nanoseconds = watch->stuck;
        *depth = __atomic_load_n(&watch->answered, __ATOMIC_ACQUIRE) ? watch->depth : 0;
        for (int i = 0; i < *depth; i++) stack[i] = watch->stack[i];
        watch->stuck = 0;
        watch->answered = false;
    }
    pthread_mutex_unlock(&lock);
    return found;
}
