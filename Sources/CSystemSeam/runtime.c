// Swift's runtime, as far as the kernel drives it: jobs, tasks, and the priority that tasks are made with.

#include "internal.h"
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SWIFT __attribute__((swiftcall))

extern SWIFT void swift_job_run(void *job, uintptr_t identity, uintptr_t witness);
extern SWIFT void *swift_task_getCurrent(void);
extern SWIFT void swift_task_cancel(void *task);
extern void *swift_retain(void *object);
extern void swift_release(void *object);
extern size_t swift_retainCount(void *object);

void seam_run_job(void *job, uintptr_t identity, uintptr_t witness) { swift_job_run(job, identity, witness); }
void *seam_current_task(void) { return swift_task_getCurrent(); }
void seam_cancel_task(void *task) { swift_task_cancel(task); }

void seam_uncancel_current(void) {
    char *task = swift_task_getCurrent();
    if (task != NULL) __atomic_fetch_and((uint32_t *)(task + 96), ~(uint32_t)0x100, __ATOMIC_RELAXED);
}

void seam_retain(void *object) { swift_retain(object); }
void seam_release(void *object) { swift_release(object); }
uintptr_t seam_retain_count(void *object) { return swift_retainCount(object); }

bool seam_task_is_waiting(void *task, uint64_t mark) {
    // By a system call, because the memory may have been given back.
    char copy[112];
    struct iovec here = {copy, sizeof copy}, there = {task, sizeof copy};
    if (process_vm_readv(getpid(), &here, 1, &there, 1, 0) != (ssize_t)sizeof copy) return false;
    return *seam_job_mark(copy) == mark && !seam_task_is_complete(copy);
}

int seam_task_stack(void *task, uintptr_t *addresses, int capacity) {
    // A task knows where it goes on and with which context; a context knows its caller's.
    typedef struct async_context {
        struct async_context *parent;
        uintptr_t resume_parent;
    } async_context;
    int count = 0;
    addresses[count++] = *(uintptr_t *)((char *)task + 56);
    async_context *context = *(async_context **)((char *)task + 64);
    while (context != NULL && count < capacity) {
        addresses[count++] = context->resume_parent;
        context = context->parent;
    }
    return count;
}

const char *seam_current_task_name(void) {
    // Absent before Swift 6.2.
    static SWIFT const char *(*name)(void);
    if (name == NULL) name = (SWIFT const char *(*)(void))dlsym(RTLD_DEFAULT, "swift_task_getCurrentTaskName");
    return name == NULL || swift_task_getCurrent() == NULL ? NULL : name();
}

const char *seam_task_name(void *task) {
    // A flag of the job says that there is a name; it is in one of the records behind the task's status.
    enum { HAS_NAME = 1u << 30, NAME_RECORD = 6 };
    if ((*(uint32_t *)((char *)task + 32) & HAS_NAME) == 0) return NULL;
    typedef struct status_record {
        uintptr_t flags;
        struct status_record *parent;
        const char *name;
    } status_record;
    for (status_record *record = *(status_record **)((char *)task + 104); record != NULL; record = record->parent) {
        if ((record->flags & 0xff) == NAME_RECORD) return record->name;
    }
    return NULL;
}

// An actor's own queue is ordered by priority, inside the runtime, where no executor can see it. So that priority
// never changes the order, tasks made on a kernel's thread all get the same one.

typedef struct {
    void *task;
    void *context;
} created_task;

typedef SWIFT created_task (*create_task)(uintptr_t flags, void *options, void *type, void *function, void *context);

enum { PRIORITY_MASK = 0xff, PRIORITY_DEFAULT = 0x15 };

SEAM_EXPORT __attribute__((weak)) SWIFT created_task
swift_task_create(uintptr_t flags, void *options, void *type, void *function, void *context) {
    static create_task real;
    create_task found = __atomic_load_n(&real, __ATOMIC_RELAXED);
    if (__builtin_expect(found == NULL, 0)) {
        found = (create_task)dlsym(RTLD_NEXT, "swift_task_create");
        if (found == NULL) seam_no_real("swift_task_create");
        __atomic_store_n(&real, found, __ATOMIC_RELAXED);
    }
    seam_context *owner = seam_current();
    if (owner == NULL) return found(flags, options, type, function, context);
    flags = (flags & ~(uintptr_t)PRIORITY_MASK) | PRIORITY_DEFAULT;
    owner->creator = __builtin_frame_address(0);
    created_task created = found(flags, options, type, function, context);
    // A task that starts on an actor goes into the actor's own queue, past the kernel.
    if (owner->kernel != NULL) owner->note_task(owner->kernel, created.task);
    owner->creator = NULL;
    return created;
}

// Escalation would reorder an actor's queue as well.
SEAM_EXPORT __attribute__((weak)) SWIFT uintptr_t
swift_task_escalate(void *task, uintptr_t priority) {
    static SWIFT uintptr_t (*real)(void *, uintptr_t);
    if (seam_current() != NULL) return PRIORITY_DEFAULT;
    if (real == NULL) real = (SWIFT uintptr_t(*)(void *, uintptr_t))dlsym(RTLD_NEXT, "swift_task_escalate");
    if (real == NULL) seam_no_real("swift_task_escalate");
    return real(task, priority);
}

/// Whether the definition that this object file would reach by name is the one that all others reach.
static bool preempts(const char *name, void *ours) { return dlsym(RTLD_DEFAULT, name) == ours; }

extern void dispatch_async(void *queue, void *block);
extern long syscall(long number, ...);

const char *seam_missing(void) {
    if (!preempts("clock_gettime", (void *)clock_gettime)) return "clock_gettime";
    if (!preempts("syscall", (void *)syscall)) return "syscall";
    if (dlsym(RTLD_NEXT, "swift_task_create") == NULL) return "swift_task_create";
    if (!preempts("swift_task_create", (void *)swift_task_create)) return "swift_task_create";
    // Without Dispatch's overlay in the program, tested code cannot reach Dispatch.
    bool has_dispatch = dlopen("libswiftDispatch.so", RTLD_LAZY | RTLD_NOLOAD) != NULL;
    if (has_dispatch && !preempts("dispatch_async", (void *)dispatch_async)) return "dispatch_async";
    return NULL;
}
