// What becomes of each of libc's functions that wait, tell the time, draw, or make threads and processes, on a kernel's thread.
//
// A test walks what libc exports and fails on a function of these families that is in no list, so that a new libc is noticed.

#include "internal.h"

static const struct {
    const char *name;
    seam_coverage coverage;
} functions[] = {
    // Answered virtually, or from the seed.
    {"clock_gettime", SEAM_VIRTUAL}, {"gettimeofday", SEAM_VIRTUAL}, {"time", SEAM_VIRTUAL},
    {"timespec_get", SEAM_VIRTUAL}, {"ftime", SEAM_VIRTUAL}, {"sysinfo", SEAM_VIRTUAL}, {"getrandom", SEAM_VIRTUAL},
    {"getentropy", SEAM_VIRTUAL}, {"arc4random", SEAM_VIRTUAL}, {"arc4random_buf", SEAM_VIRTUAL},
    {"arc4random_uniform", SEAM_VIRTUAL}, {"rand", SEAM_VIRTUAL}, {"random", SEAM_VIRTUAL}, {"drand48", SEAM_VIRTUAL},
    {"lrand48", SEAM_VIRTUAL}, {"mrand48", SEAM_VIRTUAL}, {"open", SEAM_VIRTUAL}, {"open64", SEAM_VIRTUAL},
    {"openat", SEAM_VIRTUAL}, {"openat64", SEAM_VIRTUAL}, {"__open_2", SEAM_VIRTUAL}, {"__open64_2", SEAM_VIRTUAL},
    {"__openat_2", SEAM_VIRTUAL}, {"__openat64_2", SEAM_VIRTUAL}, {"fopen", SEAM_VIRTUAL}, {"fopen64", SEAM_VIRTUAL},
    {"dup", SEAM_VIRTUAL}, {"dup2", SEAM_VIRTUAL}, {"dup3", SEAM_VIRTUAL}, {"close", SEAM_VIRTUAL},
    {"read", SEAM_VIRTUAL}, {"__read_chk", SEAM_VIRTUAL}, {"pread", SEAM_VIRTUAL}, {"pread64", SEAM_VIRTUAL},
    {"__pread_chk", SEAM_VIRTUAL}, {"__pread64_chk", SEAM_VIRTUAL}, {"readv", SEAM_VIRTUAL}, {"preadv", SEAM_VIRTUAL},
    {"preadv64", SEAM_VIRTUAL}, {"preadv2", SEAM_VIRTUAL}, {"preadv64v2", SEAM_VIRTUAL},

    // A violation by name.
    {"clock", SEAM_REFUSED}, {"times", SEAM_REFUSED}, {"getrusage", SEAM_REFUSED}, {"adjtimex", SEAM_REFUSED},
    {"clock_adjtime", SEAM_REFUSED}, {"ntp_adjtime", SEAM_REFUSED}, {"ntp_gettimex", SEAM_REFUSED},
    {"adjtime", SEAM_REFUSED}, {"clock_settime", SEAM_REFUSED}, {"settimeofday", SEAM_REFUSED},
    {"nanosleep", SEAM_REFUSED}, {"clock_nanosleep", SEAM_REFUSED}, {"usleep", SEAM_REFUSED}, {"sleep", SEAM_REFUSED},
    {"thrd_sleep", SEAM_REFUSED}, {"poll", SEAM_REFUSED}, {"__poll_chk", SEAM_REFUSED}, {"ppoll", SEAM_REFUSED},
    {"__ppoll_chk", SEAM_REFUSED}, {"select", SEAM_REFUSED}, {"pselect", SEAM_REFUSED}, {"epoll_wait", SEAM_REFUSED},
    {"epoll_pwait", SEAM_REFUSED}, {"epoll_pwait2", SEAM_REFUSED}, {"sigtimedwait", SEAM_REFUSED},
    {"semtimedop", SEAM_REFUSED}, {"recvmmsg", SEAM_REFUSED}, {"aio_suspend", SEAM_REFUSED},
    {"gai_suspend", SEAM_REFUSED}, {"pthread_cond_timedwait", SEAM_REFUSED}, {"pthread_cond_clockwait", SEAM_REFUSED},
    {"cnd_timedwait", SEAM_REFUSED}, {"pthread_mutex_timedlock", SEAM_REFUSED},
    {"pthread_mutex_clocklock", SEAM_REFUSED}, {"pthread_rwlock_timedrdlock", SEAM_REFUSED},
    {"pthread_rwlock_timedwrlock", SEAM_REFUSED}, {"pthread_rwlock_clockrdlock", SEAM_REFUSED},
    {"pthread_rwlock_clockwrlock", SEAM_REFUSED}, {"mtx_timedlock", SEAM_REFUSED}, {"sem_timedwait", SEAM_REFUSED},
    {"sem_clockwait", SEAM_REFUSED}, {"pthread_timedjoin_np", SEAM_REFUSED}, {"pthread_clockjoin_np", SEAM_REFUSED},
    {"mq_timedreceive", SEAM_REFUSED}, {"mq_timedsend", SEAM_REFUSED}, {"timerfd_settime", SEAM_REFUSED},
    {"timer_settime", SEAM_REFUSED}, {"setitimer", SEAM_REFUSED}, {"alarm", SEAM_REFUSED}, {"ualarm", SEAM_REFUSED},
    {"setsockopt", SEAM_REFUSED}, {"pthread_create", SEAM_REFUSED}, {"thrd_create", SEAM_REFUSED},
    {"aio_read", SEAM_REFUSED}, {"aio_write", SEAM_REFUSED}, {"aio_fsync", SEAM_REFUSED}, {"lio_listio", SEAM_REFUSED},
    {"getaddrinfo_a", SEAM_REFUSED}, {"mq_notify", SEAM_REFUSED}, {"fork", SEAM_REFUSED}, {"_Fork", SEAM_REFUSED},
    {"vfork", SEAM_REFUSED}, {"clone", SEAM_REFUSED}, {"system", SEAM_REFUSED}, {"popen", SEAM_REFUSED},
    {"daemon", SEAM_REFUSED}, {"forkpty", SEAM_REFUSED}, {"posix_spawn", SEAM_REFUSED}, {"posix_spawnp", SEAM_REFUSED},
    {"execv", SEAM_REFUSED}, {"execvp", SEAM_REFUSED}, {"execve", SEAM_REFUSED}, {"execvpe", SEAM_REFUSED},
    {"fexecve", SEAM_REFUSED}, {"execveat", SEAM_REFUSED}, {"syscall", SEAM_REFUSED},

    // They wait without a limit, which the watchdog notices.
    {"pause", SEAM_WATCHED}, {"sigpause", SEAM_WATCHED}, {"__sigpause", SEAM_WATCHED},
    {"__xpg_sigpause", SEAM_WATCHED}, {"sigsuspend", SEAM_WATCHED}, {"__sigsuspend", SEAM_WATCHED},
    {"sigwait", SEAM_WATCHED}, {"sigwaitinfo", SEAM_WATCHED}, {"wait", SEAM_WATCHED}, {"__wait", SEAM_WATCHED},
    {"wait3", SEAM_WATCHED}, {"wait4", SEAM_WATCHED}, {"waitid", SEAM_WATCHED}, {"waitpid", SEAM_WATCHED},
    {"__waitpid", SEAM_WATCHED}, {"pthread_cond_wait", SEAM_WATCHED}, {"cnd_wait", SEAM_WATCHED},
    {"sem_wait", SEAM_WATCHED}, {"pthread_barrier_wait", SEAM_WATCHED}, {"thrd_join", SEAM_WATCHED},
    {"mtx_lock", SEAM_WATCHED}, {"mq_receive", SEAM_WATCHED}, {"mq_send", SEAM_WATCHED},

    // Real, and nobody says so: other names of covered functions that only libc itself uses, old or rare interfaces, files and
    // sockets, and who one is.
    {"__nanosleep", SEAM_UNCOVERED}, {"__poll", SEAM_UNCOVERED}, {"__select", SEAM_UNCOVERED},
    {"__sigtimedwait", SEAM_UNCOVERED}, {"__adjtimex", SEAM_UNCOVERED}, {"__read", SEAM_UNCOVERED},
    {"__read_nocancel", SEAM_UNCOVERED}, {"__pread64", SEAM_UNCOVERED}, {"__pread64_nocancel", SEAM_UNCOVERED},
    {"__open", SEAM_UNCOVERED}, {"__open64", SEAM_UNCOVERED}, {"__open_nocancel", SEAM_UNCOVERED},
    {"__open64_nocancel", SEAM_UNCOVERED}, {"__open_catalog", SEAM_UNCOVERED}, {"__fork", SEAM_UNCOVERED},
    {"__libc_fork", SEAM_UNCOVERED}, {"__clone", SEAM_UNCOVERED}, {"__vfork", SEAM_UNCOVERED},
    {"_IO_popen", SEAM_UNCOVERED}, {"ntp_gettime", SEAM_UNCOVERED}, {"stime", SEAM_UNCOVERED},
    {"aio_read64", SEAM_UNCOVERED}, {"aio_write64", SEAM_UNCOVERED}, {"aio_fsync64", SEAM_UNCOVERED},
    {"aio_suspend64", SEAM_UNCOVERED}, {"lio_listio64", SEAM_UNCOVERED}, {"execl", SEAM_UNCOVERED},
    {"execle", SEAM_UNCOVERED}, {"execlp", SEAM_UNCOVERED}, {"rexec", SEAM_UNCOVERED}, {"rexec_af", SEAM_UNCOVERED},
    {"getaddrinfo", SEAM_UNCOVERED}, {"getloadavg", SEAM_UNCOVERED}, {"tempnam", SEAM_UNCOVERED},
    {"tmpnam", SEAM_UNCOVERED}, {"tmpnam_r", SEAM_UNCOVERED}, {"mkstemp", SEAM_UNCOVERED},
    {"mkstemp64", SEAM_UNCOVERED}, {"mkostemp", SEAM_UNCOVERED}, {"mkostemp64", SEAM_UNCOVERED},
    {"mkstemps", SEAM_UNCOVERED}, {"mkstemps64", SEAM_UNCOVERED}, {"mkostemps", SEAM_UNCOVERED},
    {"mkostemps64", SEAM_UNCOVERED}, {"mktemp", SEAM_UNCOVERED}, {"__mktemp", SEAM_UNCOVERED},
    {"mkdtemp", SEAM_UNCOVERED}, {"__res_randomid", SEAM_UNCOVERED}, {"utime", SEAM_UNCOVERED},
    {"utimes", SEAM_UNCOVERED}, {"lutimes", SEAM_UNCOVERED}, {"futimes", SEAM_UNCOVERED},
    {"futimesat", SEAM_UNCOVERED}, {"futimens", SEAM_UNCOVERED}, {"utimensat", SEAM_UNCOVERED},
    {"fcntl", SEAM_UNCOVERED}, {"fcntl64", SEAM_UNCOVERED}, {"close_range", SEAM_UNCOVERED},
    {"closefrom", SEAM_UNCOVERED}, {"freopen", SEAM_UNCOVERED}, {"freopen64", SEAM_UNCOVERED},
    {"creat", SEAM_UNCOVERED}, {"creat64", SEAM_UNCOVERED}, {"open_by_handle_at", SEAM_UNCOVERED},
    {"mq_open", SEAM_UNCOVERED}, {"__mq_open_2", SEAM_UNCOVERED}, {"getpid", SEAM_UNCOVERED},
    {"__getpid", SEAM_UNCOVERED}, {"gettid", SEAM_UNCOVERED}, {"sched_getcpu", SEAM_UNCOVERED},
    {"__clock_gettime", SEAM_UNCOVERED}, {"__gettimeofday", SEAM_UNCOVERED},

    // Pure, or nothing that differs between runs by itself.
    {"clock_getres", SEAM_HARMLESS}, {"timespec_getres", SEAM_HARMLESS}, {"clock_getcpuclockid", SEAM_HARMLESS},
    {"pthread_getcpuclockid", SEAM_HARMLESS}, {"pthread_condattr_getclock", SEAM_HARMLESS},
    {"pthread_condattr_setclock", SEAM_HARMLESS}, {"getitimer", SEAM_HARMLESS}, {"timer_create", SEAM_HARMLESS},
    {"timer_delete", SEAM_HARMLESS}, {"timer_getoverrun", SEAM_HARMLESS}, {"timer_gettime", SEAM_HARMLESS},
    {"timerfd_create", SEAM_HARMLESS}, {"timerfd_gettime", SEAM_HARMLESS}, {"epoll_create", SEAM_HARMLESS},
    {"epoll_create1", SEAM_HARMLESS}, {"epoll_ctl", SEAM_HARMLESS}, {"rand_r", SEAM_HARMLESS},
    {"random_r", SEAM_HARMLESS}, {"srand", SEAM_HARMLESS}, {"srandom", SEAM_HARMLESS}, {"srandom_r", SEAM_HARMLESS},
    {"srand48", SEAM_HARMLESS}, {"srand48_r", SEAM_HARMLESS}, {"drand48_r", SEAM_HARMLESS}, {"erand48", SEAM_HARMLESS},
    {"erand48_r", SEAM_HARMLESS}, {"lrand48_r", SEAM_HARMLESS}, {"nrand48", SEAM_HARMLESS},
    {"nrand48_r", SEAM_HARMLESS}, {"mrand48_r", SEAM_HARMLESS}, {"jrand48", SEAM_HARMLESS},
    {"jrand48_r", SEAM_HARMLESS}, {"aio_cancel", SEAM_HARMLESS}, {"aio_cancel64", SEAM_HARMLESS},
    {"aio_error", SEAM_HARMLESS}, {"aio_error64", SEAM_HARMLESS}, {"aio_return", SEAM_HARMLESS},
    {"aio_return64", SEAM_HARMLESS}, {"aio_init", SEAM_HARMLESS}, {"gai_cancel", SEAM_HARMLESS},
    {"gai_error", SEAM_HARMLESS}, {"gai_strerror", SEAM_HARMLESS}, {"mq_close", SEAM_HARMLESS},
    {"mq_getattr", SEAM_HARMLESS}, {"mq_setattr", SEAM_HARMLESS}, {"mq_unlink", SEAM_HARMLESS},
    {"sem_trywait", SEAM_HARMLESS}, {"mtx_destroy", SEAM_HARMLESS}, {"mtx_init", SEAM_HARMLESS},
    {"mtx_trylock", SEAM_HARMLESS}, {"mtx_unlock", SEAM_HARMLESS}, {"cnd_broadcast", SEAM_HARMLESS},
    {"cnd_destroy", SEAM_HARMLESS}, {"cnd_init", SEAM_HARMLESS}, {"cnd_signal", SEAM_HARMLESS},
    {"thrd_current", SEAM_HARMLESS}, {"thrd_detach", SEAM_HARMLESS}, {"thrd_equal", SEAM_HARMLESS},
    {"thrd_exit", SEAM_HARMLESS}, {"thrd_yield", SEAM_HARMLESS}, {"sched_yield", SEAM_HARMLESS},
    {"__sched_yield", SEAM_HARMLESS}, {"pthread_atfork", SEAM_HARMLESS}, {"__register_atfork", SEAM_HARMLESS},
    {"fopencookie", SEAM_HARMLESS}, {"opendir", SEAM_HARMLESS}, {"openlog", SEAM_HARMLESS}, {"openpty", SEAM_HARMLESS},
    {"open_memstream", SEAM_HARMLESS}, {"open_wmemstream", SEAM_HARMLESS}, {"open_tree", SEAM_HARMLESS},
    {"closedir", SEAM_HARMLESS}, {"closelog", SEAM_HARMLESS}, {"readahead", SEAM_HARMLESS}, {"readdir", SEAM_HARMLESS},
    {"readdir64", SEAM_HARMLESS}, {"readdir_r", SEAM_HARMLESS}, {"readdir64_r", SEAM_HARMLESS},
    {"readlink", SEAM_HARMLESS}, {"readlinkat", SEAM_HARMLESS}, {"__readlink_chk", SEAM_HARMLESS},
    {"__readlinkat_chk", SEAM_HARMLESS}, {"create_module", SEAM_HARMLESS}, {"duplocale", SEAM_HARMLESS},
    {"regexec", SEAM_HARMLESS}, {"re_exec", SEAM_HARMLESS}, {"rexecoptions", SEAM_HARMLESS},
    {"utmpname", SEAM_HARMLESS}, {"__lll_lock_wait_private", SEAM_HARMLESS},
    {"__rpc_thread_svc_max_pollfd", SEAM_HARMLESS}, {"__rpc_thread_svc_pollfd", SEAM_HARMLESS},
    {"svc_getreq_poll", SEAM_HARMLESS}, {"svc_max_pollfd", SEAM_HARMLESS}, {"svc_pollfd", SEAM_HARMLESS},
    {"__sched_cpualloc", SEAM_HARMLESS}, {"__sched_cpucount", SEAM_HARMLESS}, {"__sched_cpufree", SEAM_HARMLESS},
    {"__sched_get_priority_max", SEAM_HARMLESS}, {"__sched_get_priority_min", SEAM_HARMLESS},
    {"__sched_getparam", SEAM_HARMLESS}, {"__sched_getscheduler", SEAM_HARMLESS},
    {"__sched_setscheduler", SEAM_HARMLESS}, {"_thread_db_pthread_schedparam_sched_priority", SEAM_HARMLESS},
    {"sched_get_priority_max", SEAM_HARMLESS}, {"sched_get_priority_min", SEAM_HARMLESS},
    {"sched_getaffinity", SEAM_HARMLESS}, {"sched_getparam", SEAM_HARMLESS}, {"sched_getscheduler", SEAM_HARMLESS},
    {"sched_rr_get_interval", SEAM_HARMLESS}, {"sched_setaffinity", SEAM_HARMLESS}, {"sched_setparam", SEAM_HARMLESS},
    {"sched_setscheduler", SEAM_HARMLESS}, {"posix_spawn_file_actions_addchdir_np", SEAM_HARMLESS},
    {"posix_spawn_file_actions_addclose", SEAM_HARMLESS}, {"posix_spawn_file_actions_addclosefrom_np", SEAM_HARMLESS},
    {"posix_spawn_file_actions_adddup2", SEAM_HARMLESS}, {"posix_spawn_file_actions_addfchdir_np", SEAM_HARMLESS},
    {"posix_spawn_file_actions_addopen", SEAM_HARMLESS}, {"posix_spawn_file_actions_addtcsetpgrp_np", SEAM_HARMLESS},
    {"posix_spawn_file_actions_destroy", SEAM_HARMLESS}, {"posix_spawn_file_actions_init", SEAM_HARMLESS},
    {"posix_spawnattr_destroy", SEAM_HARMLESS}, {"posix_spawnattr_getflags", SEAM_HARMLESS},
    {"posix_spawnattr_getpgroup", SEAM_HARMLESS}, {"posix_spawnattr_getschedparam", SEAM_HARMLESS},
    {"posix_spawnattr_getschedpolicy", SEAM_HARMLESS}, {"posix_spawnattr_getsigdefault", SEAM_HARMLESS},
    {"posix_spawnattr_getsigmask", SEAM_HARMLESS}, {"posix_spawnattr_init", SEAM_HARMLESS},
    {"posix_spawnattr_setflags", SEAM_HARMLESS}, {"posix_spawnattr_setpgroup", SEAM_HARMLESS},
    {"posix_spawnattr_setschedparam", SEAM_HARMLESS}, {"posix_spawnattr_setschedpolicy", SEAM_HARMLESS},
    {"posix_spawnattr_setsigdefault", SEAM_HARMLESS}, {"posix_spawnattr_setsigmask", SEAM_HARMLESS},
};

bool seam_covered(int index, const char **name, seam_coverage *coverage) {
    if (index < 0 || (size_t)index >= sizeof functions / sizeof *functions) return false;
    *name = functions[index].name;
    *coverage = functions[index].coverage;
    return true;
}
