/// The system seam: this process' clocks, randomness, sleeps and threads, virtual on a kernel's thread.
///
/// Defining libc's functions in the executable interposes them for everything linked into the process,
/// statically or dynamically. Every interposed function asks one thread-local question, "does a kernel
/// own this thread?", and goes on to the real function when none does.
#pragma once

#if !defined(__linux__)
#error "Windkanal's system seam needs Linux with glibc: on this platform clocks and randomness cannot be made virtual."
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What tested code did that leaves the simulation. Order and values are part of the Swift side.
typedef enum {
    /// A sleep of the real thread.
    SEAM_LEAK_REAL_SLEEP = 0,
    /// A read of a clock that cannot be virtual: CPU time, or a raw system call.
    SEAM_LEAK_REAL_CLOCK = 1,
    /// Work handed to Dispatch.
    SEAM_LEAK_DISPATCH = 2,
    /// A new thread.
    SEAM_LEAK_THREAD = 3,
    /// A timer of the system, or a time limit of a socket.
    SEAM_LEAK_TIMER = 4,
    /// A new process, or another program in this one.
    SEAM_LEAK_PROCESS = 5,
} seam_leak;

#define SEAM_STACK_DEPTH 64

/// For functions that must not call a sanitizer, on a thread that it does not know or knows no more.
#define SEAM_UNINSTRUMENTED __attribute__((disable_sanitizer_instrumentation))

/// A host's wall clock: `wall = wall_at + (now - since) * (1 + drift_ppb / 1e9)`, all in ns.
typedef struct {
    int64_t wall_at;
    uint64_t since;
    int64_t drift_ppb;
} seam_wall_clock;

/// One kernel's face towards the interposed functions; owned by the kernel, valid while it runs.
typedef struct seam_context {
    /// Virtual time in ns since the run began.
    uint64_t now;
    /// What refused or real sleeps should have lasted, in ns: clocks show it as passed, so that code which sleeps until a
    /// clock says so ends.
    uint64_t slept;
    /// What `CLOCK_MONOTONIC` shows at the run's beginning, in ns; above 0, which some libraries take for "never".
    uint64_t monotonic_base;
    /// The wall clock of the host whose code runs now.
    const seam_wall_clock *wall;
    /// Counts dispatched work; a watchdog sees in it whether the thread is stuck.
    uint64_t heartbeat;
    /// Set by other threads when the kernel must look up: a foreign job waits, or the watchdog has fired.
    bool attention;
    /// Strict: leaks are not carried out in reality.
    bool strict;
    /// The Swift side; null while the runtime is being verified.
    void *kernel;
    /// The frame of the code that makes a task, while it does.
    void *creator;
    /// The last job that was enqueued while there was no kernel.
    void *caught;
    void (*fill_random)(void *kernel, void *bytes, size_t count);
    void (*report_leak)(void *kernel, seam_leak leak, const uintptr_t *stack, int depth);
    /// Told of every task that tested code makes.
    void (*note_task)(void *kernel, void *task);
    /// While an actor's job runs, which may be several hosts': makes the current task's host the current one.
    void (*sync_host)(void *kernel);
    bool runs_actor_job;
    /// While code is made to end: how often its present job may read a clock before its task's cancellation is taken back.
    uint32_t unwind_reads_left;
    /// The run's seed, for messages of the last moment.
    uint64_t seed;
    /// When the budget of real time ends, on the real monotonic clock.
    uint64_t wall_deadline;
} seam_context;

// The thread's kernel

extern __thread seam_context *seam_thread_context;

/// The context of the kernel that owns this thread, or null.
static inline __attribute__((always_inline)) SEAM_UNINSTRUMENTED seam_context *seam_current(void) { return seam_thread_context; }
/// Makes `context` (or nothing, when null) the owner of this thread.
static inline void seam_enter(seam_context *context) { seam_thread_context = context; }

/// Whether the interposed functions are the ones that the process really calls; the name of the first that is not, else null.
const char *seam_missing(void);

/// The real monotonic clock in ns, on any thread.
uint64_t seam_real_monotonic(void);
/// Really sleeps, on any thread.
void seam_real_pause(uint64_t nanoseconds);
/// Reads `context->attention`, which other threads set.
static inline bool seam_attention(seam_context *context) {
    return __atomic_load_n(&context->attention, __ATOMIC_ACQUIRE);
}
/// Sets `context->attention`, on the kernel's thread.
static inline void seam_set_attention(seam_context *context, bool attention) {
    __atomic_store_n(&context->attention, attention, __ATOMIC_RELEASE);
}
/// Tells the watchdog, which reads it on its own thread, that work was done.
static inline void seam_heartbeat(seam_context *context, uint64_t count) {
    __atomic_store_n(&context->heartbeat, count, __ATOMIC_RELAXED);
}
/// The CPU time of this thread in ns.
uint64_t seam_thread_cpu(void);

// Swift's runtime (jobs, tasks); the layout it relies on is verified at start by the Swift side

/// Runs a job with the executor identity `identity`/`witness`; 0/0 is the generic executor.
void seam_run_job(void *job, uintptr_t identity, uintptr_t witness);
/// The task that runs on this thread, or null.
void *seam_current_task(void);
/// The name given to the current task by `Task(name:)`, or null.
const char *seam_current_task_name(void);
void seam_cancel_task(void *task);
/// Takes the cancellation of the current task back, so that its next sleep suspends it.
void seam_uncancel_current(void);
/// Counts a read of a clock by a job that is made to end.
static inline void seam_unwind_read(seam_context *context) {
    if (__builtin_expect(context->unwind_reads_left != 0, 0) && --context->unwind_reads_left == 0) {
        seam_uncancel_current();
        context->unwind_reads_left = 1;
    }
}
void seam_retain(void *object);
void seam_release(void *object);
/// How many references to an object there are.
uintptr_t seam_retain_count(void *object);
/// The word of a job that the runtime keeps for "future use" and never touches; 0 in a new job.
static inline uint64_t *seam_job_mark(void *job) { return (uint64_t *)((char *)job + 48); }
/// Whether a job is a task; other jobs belong to actors.
static inline bool seam_job_is_task(void *job) { return *((uint8_t *)job + 32) == 0; }
/// Whether a task belongs to an `async let`: its memory is its parent's and ends with the parent's scope.
static inline bool seam_task_is_async_let(void *task) { return (*(uint32_t *)((char *)task + 32) & (1u << 28)) != 0; }
/// Whether the memory at `task` still is the task with `mark` and it has not ended; reads safely whatever is there.
bool seam_task_is_waiting(void *task, uint64_t mark);
/// Whether a task has ended; `task` must be retained.
static inline bool seam_task_is_complete(void *task) {
    return (__atomic_load_n((uint32_t *)((char *)task + 96), __ATOMIC_ACQUIRE) & 0x2000) != 0;
}
/// The functions in which a suspended task and its async callers go on, innermost first; the count written.
int seam_task_stack(void *task, uintptr_t *addresses, int capacity);
/// The name given to a suspended task by `Task(name:)`, or null.
const char *seam_task_name(void *task);

/// Asks the processor to bring the memory at `address` near; a hint, which may be wrong.
static inline void seam_prefetch(const void *address) { __builtin_prefetch(address); }

// Memory

/// Pages of zeros, by themselves: given back, they leave no hole in the heap that small leftovers could nest in. Ends the process
/// when there are none.
void *seam_map_pages(size_t bytes);
void seam_unmap_pages(void *pages, size_t bytes);

// Stacks and symbols

/// Return addresses from the caller's caller upward, by unwinding; the count written to `addresses`.
int seam_stack(uintptr_t *addresses, int capacity);
/// Return addresses from the code that makes a task on this thread (else from the caller) upward, by frame pointers.
int seam_task_origin(uintptr_t *addresses, int capacity);
/// The mangled name of the function that contains `address`, or null; valid until the process ends.
const char *seam_symbol(uintptr_t address);
/// The readable name of a mangled one; the caller frees it; null if it is not Swift's.
char *seam_demangle(const char *mangled);
/// Frees what `seam_demangle` returned.
void seam_free(void *memory);

// Kernels of the process: who owns a job that turns up on a foreign thread

#define SEAM_KERNELS_MAX 250

/// Takes a place for a kernel and returns its mark (never 0, unique in the process), or 0 when SEAM_KERNELS_MAX run.
///
/// - Parameter alone: Whether it must be the only one: it waits for those that run, and later ones wait for it.
uint32_t seam_register_kernel(seam_context *context, bool alone);
/// Whether this is the process' main thread.
bool seam_on_main_thread(void);
void seam_unregister_kernel(uint32_t mark);
/// How many kernels run in this process now.
int seam_active_kernels(void);
/// Hands a job that was enqueued on a foreign thread to the kernel with `mark`; false when that kernel is gone.
///
/// - Parameter detail: What `tag` makes of it.
bool seam_foreign_push(uint32_t mark, void *job, int tag, uint64_t detail);
/// Takes the next such job of the kernel with `mark`; false when there is none.
bool seam_foreign_pop(uint32_t mark, void **job, int *tag, uint64_t *detail, uintptr_t *stack, int *depth);

// What is covered

/// What the seam makes of a function of libc's that waits, tells the time, draws, or makes threads and processes.
typedef enum {
    /// It answers virtually, or from the seed, on a kernel's thread.
    SEAM_VIRTUAL = 0,
    /// It is a violation, by name.
    SEAM_REFUSED = 1,
    /// It waits without a limit: the watchdog says so.
    SEAM_WATCHED = 2,
    /// It is real, and nobody says so; docs/determinism.md lists it.
    SEAM_UNCOVERED = 3,
    /// It does nothing that is not repeatable.
    SEAM_HARMLESS = 4,
} seam_coverage;

/// The n-th function of those families; false when there are no more.
bool seam_covered(int index, const char **name, seam_coverage *coverage);

// Watchdog: says when a kernel's thread is stuck

/// How many times as long the same work may take because a sanitizer watches it; 1 without one.
int seam_sanitizer_slowdown(void);

/// Watches this thread's `context`; `limit` and `fatal` are ns of real time, `seed` is what a fatal message names.
void seam_watch(seam_context *context, uint64_t limit, uint64_t fatal, uint64_t seed);
/// Ends the watch.
void seam_unwatch(seam_context *context);
/// Whether `context` was stuck for longer than its limit since the last call: for how long, and where.
bool seam_was_stuck(seam_context *context, uint64_t *nanoseconds, uintptr_t *stack, int *depth);
