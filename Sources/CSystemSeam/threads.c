// Threads, processes and Dispatch: work that leaves a kernel's thread is told to the kernel. Threads and Dispatch's work are
// carried out all the same, because their creator may wait for them; a strict run fails by name as soon as the kernel has
// the thread again. Processes are not made in a strict run.
//
// The Dispatch functions are weak, because a statically linked standard library brings strong ones: there
// `seam_missing` says that this guard is absent.

#include "internal.h"
#include <aio.h>
#include <errno.h>
#include <mqueue.h>
#include <netdb.h>
#include <pthread.h>
#include <pty.h>
#include <spawn.h>
#include <stdarg.h>
#include <threads.h>
#include <unistd.h>

SEAM_ON_THE_WAY void report(seam_leak leak) {
    seam_context *context = seam_current();
    if (context != NULL) seam_leak_here(context, leak);
}

SEAM_EXPORT int pthread_create(
    pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*start)(void *), void *restrict argument
) {
    report(SEAM_LEAK_THREAD);
    return SEAM_REAL_OR_SANITIZERS(pthread_create)(thread, attributes, start, argument);
}

SEAM_EXPORT int thrd_create(thrd_t *thread, thrd_start_t start, void *argument) {
    report(SEAM_LEAK_THREAD);
    return SEAM_REAL(thrd_create)(thread, start, argument);
}

// glibc does these on threads of its own.

#define SEAM_MAKES_THREAD(name, parameters, ...)                                         \
    SEAM_EXPORT int name parameters {                                                    \
        report(SEAM_LEAK_THREAD);                                                        \
        return SEAM_REAL(name)(__VA_ARGS__);                                             \
    }

SEAM_MAKES_THREAD(aio_read, (struct aiocb *request), request)
SEAM_MAKES_THREAD(aio_write, (struct aiocb *request), request)
SEAM_MAKES_THREAD(aio_fsync, (int operation, struct aiocb *request), operation, request)
SEAM_MAKES_THREAD(
    lio_listio,
    (int mode, struct aiocb *const requests[restrict], int count, struct sigevent *restrict event), mode, requests, count,
    event
)
SEAM_MAKES_THREAD(
    getaddrinfo_a, (int mode, struct gaicb *requests[restrict], int count, struct sigevent *restrict event), mode,
    requests, count, event
)
SEAM_MAKES_THREAD(mq_notify, (mqd_t queue, const struct sigevent *event), queue, event)

// Processes, and other programs in this one

/// Reports a process; whether it must not be made.
SEAM_ON_THE_WAY bool refuses_process(void) {
    seam_context *context = seam_current();
    if (context == NULL) return false;
    seam_leak_here(context, SEAM_LEAK_PROCESS);
    errno = EAGAIN;
    return context->strict;
}

#define SEAM_MAKES_PROCESS(result, name, parameters, refused, ...)                       \
    SEAM_EXPORT result name parameters {                                                 \
        return refuses_process() ? (refused) : SEAM_REAL(name)(__VA_ARGS__);             \
    }

SEAM_MAKES_PROCESS(pid_t, fork, (void), -1)
SEAM_MAKES_PROCESS(pid_t, _Fork, (void), -1)
SEAM_MAKES_PROCESS(int, system, (const char *command), -1, command)
SEAM_MAKES_PROCESS(FILE *, popen, (const char *command, const char *mode), NULL, command, mode)
SEAM_MAKES_PROCESS(int, daemon, (int keeps_folder, int keeps_files), -1, keeps_folder, keeps_files)
SEAM_MAKES_PROCESS(
    pid_t, forkpty, (int *terminal, char *name, const struct termios *settings, const struct winsize *size), -1, terminal,
    name, settings, size
)
SEAM_MAKES_PROCESS(
    int, posix_spawn,
    (pid_t *restrict process, const char *restrict path, const posix_spawn_file_actions_t *restrict actions,
     const posix_spawnattr_t *restrict attributes, char *const arguments[restrict], char *const environment[restrict]),
    EAGAIN, process, path, actions, attributes, arguments, environment
)
SEAM_MAKES_PROCESS(
    int, posix_spawnp,
    (pid_t *restrict process, const char *restrict path, const posix_spawn_file_actions_t *restrict actions,
     const posix_spawnattr_t *restrict attributes, char *const arguments[restrict], char *const environment[restrict]),
    EAGAIN, process, path, actions, attributes, arguments, environment
)
SEAM_MAKES_PROCESS(int, execv, (const char *path, char *const arguments[]), -1, path, arguments)
SEAM_MAKES_PROCESS(int, execvp, (const char *path, char *const arguments[]), -1, path, arguments)
SEAM_MAKES_PROCESS(
    int, execve, (const char *path, char *const arguments[], char *const environment[]), -1, path, arguments, environment
)
SEAM_MAKES_PROCESS(
    int, execvpe, (const char *path, char *const arguments[], char *const environment[]), -1, path, arguments, environment
)
SEAM_MAKES_PROCESS(
    int, fexecve, (int file, char *const arguments[], char *const environment[]), -1, file, arguments, environment
)
SEAM_MAKES_PROCESS(
    int, execveat, (int folder, const char *path, char *const arguments[], char *const environment[], int flags), -1,
    folder, path, arguments, environment, flags
)

// A wrapper of vfork cannot return twice on one stack: elsewhere too it is fork, of which it is the quick form.
SEAM_EXPORT pid_t vfork(void) { return fork(); }

SEAM_EXPORT int clone(int (*start)(void *), void *stack, int flags, void *argument, ...) {
    va_list list;
    va_start(list, argument);
    void *parent = va_arg(list, void *), *area = va_arg(list, void *), *child = va_arg(list, void *);
    va_end(list);
    return refuses_process() ? -1 : SEAM_REAL(clone)(start, stack, flags, argument, parent, area, child);
}

#if __has_feature(thread_sanitizer)
// Its weak ones would come first.
#define SEAM_DISPATCH SEAM_EXPORT
#else
#define SEAM_DISPATCH SEAM_EXPORT __attribute__((weak))
#endif

#define SEAM_DISPATCHES(name, parameters, ...)           \
    extern void name parameters;                          \
    SEAM_DISPATCH void name parameters {                  \
        report(SEAM_LEAK_DISPATCH);                       \
        SEAM_REAL_OR_SANITIZERS(name)(__VA_ARGS__);       \
    }

SEAM_DISPATCHES(dispatch_async, (void *queue, void *block), queue, block)
SEAM_DISPATCHES(dispatch_async_f, (void *queue, void *context, void *work), queue, context, work)
SEAM_DISPATCHES(dispatch_barrier_async, (void *queue, void *block), queue, block)
SEAM_DISPATCHES(dispatch_barrier_async_f, (void *queue, void *context, void *work), queue, context, work)
SEAM_DISPATCHES(dispatch_after, (uint64_t when, void *queue, void *block), when, queue, block)
SEAM_DISPATCHES(dispatch_after_f, (uint64_t when, void *queue, void *context, void *work), when, queue, context, work)
SEAM_DISPATCHES(dispatch_group_async, (void *group, void *queue, void *block), group, queue, block)
SEAM_DISPATCHES(
    dispatch_group_async_f, (void *group, void *queue, void *context, void *work), group, queue, context, work
)
SEAM_DISPATCHES(dispatch_group_notify, (void *group, void *queue, void *block), group, queue, block)
SEAM_DISPATCHES(dispatch_apply, (size_t count, void *queue, void *block), count, queue, block)
SEAM_DISPATCHES(dispatch_apply_f, (size_t count, void *queue, void *context, void *work), count, queue, context, work)
SEAM_DISPATCHES(dispatch_block_notify, (void *block, void *queue, void *notification), block, queue, notification)
SEAM_DISPATCHES(dispatch_activate, (void *object), object)
SEAM_DISPATCHES(dispatch_resume, (void *object), object)
SEAM_DISPATCHES(dispatch_read, (int file, size_t length, void *queue, void *handler), file, length, queue, handler)
SEAM_DISPATCHES(dispatch_write, (int file, void *data, void *queue, void *handler), file, data, queue, handler)
SEAM_DISPATCHES(
    dispatch_io_read, (void *channel, long offset, size_t length, void *queue, void *handler), channel, offset, length,
    queue, handler
)
SEAM_DISPATCHES(
    dispatch_io_write, (void *channel, long offset, void *data, void *queue, void *handler), channel, offset, data, queue,
    handler
)
