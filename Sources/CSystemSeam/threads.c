// Threads and Dispatch: work that leaves a kernel's thread is told to the kernel. It is carried out all the same,
// because its creator may wait for it; a strict run fails by name as soon as the kernel has the thread again.
//
// The Dispatch functions are weak, because a statically linked standard library brings strong ones: there
// `seam_missing` says that this guard is absent.

#include "internal.h"
#include <pthread.h>

static inline __attribute__((always_inline)) void report(seam_leak leak) {
    seam_context *context = seam_current();
    if (context != NULL) seam_leak_here(context, leak);
}

SEAM_EXPORT int pthread_create(
    pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*start)(void *), void *restrict argument
) {
    report(SEAM_LEAK_THREAD);
    return SEAM_REAL(pthread_create)(thread, attributes, start, argument);
}

#define SEAM_DISPATCH __attribute__((weak, visibility("default"), used))

#define SEAM_DISPATCHES(name, parameters, ...)           \
    extern void name parameters;                          \
    SEAM_DISPATCH void name parameters {                  \
        report(SEAM_LEAK_DISPATCH);                       \
        SEAM_REAL(name)(__VA_ARGS__);                     \
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
