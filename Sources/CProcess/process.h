// What Linux knows of processes and its C library's Swift module does not show.
#ifndef WINDKANAL_PROCESS_H
#define WINDKANAL_PROCESS_H

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/// A descriptor that becomes readable when a process has ended; -1 with `errno` when that is impossible. Closed by exec.
static inline int process_descriptor(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

#endif
