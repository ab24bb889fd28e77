// The files of random bytes, /dev/urandom and /dev/random: a kernel's thread that opens one, in whatever way, reads the seeded
// stream from it.

#include "internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES_MAX = 4096, WORD = 64, RANDOM_MAJOR = 1, RANDOM_MINOR = 8, URANDOM_MINOR = 9 };

/// The numbers of this thread's open files of random bytes, one bit each.
static __thread uint64_t random_files[FILES_MAX / WORD];
/// How many of them are set, so that nobody else pays for looking.
static __thread int random_file_count;

SEAM_ON_THE_WAY bool is_marked(int file) {
    return file >= 0 && file < FILES_MAX && (random_files[file / WORD] >> (file % WORD) & 1) != 0;
}

SEAM_ON_THE_WAY void mark(int file, bool is_random) {
    if (file < 0 || file >= FILES_MAX || is_marked(file) == is_random) return;
    random_files[file / WORD] ^= 1ULL << (file % WORD);
    random_file_count += is_random ? 1 : -1;
}

SEAM_ON_THE_WAY bool is_random_path(const char *path) {
    return path != NULL && (strcmp(path, "/dev/urandom") == 0 || strcmp(path, "/dev/random") == 0);
}

SEAM_ON_THE_WAY int opened(const char *path, int file) {
    // Another file got the number: the old one was closed behind our back.
    mark(file, seam_current() != NULL && is_random_path(path));
    return file;
}

/// The context that answers for a file; null when the file is another one, or nobody's.
SEAM_ON_THE_WAY seam_context *answers(int file) {
    if (random_file_count == 0 || !is_marked(file)) return NULL;
    seam_context *context = seam_current();
    struct stat status;
    bool is_random = fstat(file, &status) == 0 && S_ISCHR(status.st_mode) && major(status.st_rdev) == RANDOM_MAJOR
        && (minor(status.st_rdev) == RANDOM_MINOR || minor(status.st_rdev) == URANDOM_MINOR);
    if (!is_random) mark(file, false);
    return is_random ? context : NULL;
}

static ssize_t fill(seam_context *context, void *bytes, size_t count) {
    context->fill_random(context->kernel, bytes, count);
    return (ssize_t)count;
}

static ssize_t fill_all(seam_context *context, const struct iovec *parts, int count) {
    ssize_t sum = 0;
    for (int i = 0; i < count; i++) sum += fill(context, parts[i].iov_base, parts[i].iov_len);
    return sum;
}

// Opening

#define SEAM_OPENS(name)                                                                 \
    SEAM_EXPORT int name(const char *path, int flags, ...) {                             \
        va_list list;                                                                    \
        va_start(list, flags);                                                           \
        mode_t mode = va_arg(list, mode_t);                                              \
        va_end(list);                                                                    \
        return opened(path, SEAM_REAL(name)(path, flags, mode));                         \
    }

#define SEAM_OPENS_AT(name)                                                              \
    SEAM_EXPORT int name(int folder, const char *path, int flags, ...) {                 \
        va_list list;                                                                    \
        va_start(list, flags);                                                           \
        mode_t mode = va_arg(list, mode_t);                                              \
        va_end(list);                                                                    \
        return opened(path, SEAM_REAL(name)(folder, path, flags, mode));                 \
    }

SEAM_OPENS(open)
SEAM_OPENS(open64)
SEAM_OPENS_AT(openat)
SEAM_OPENS_AT(openat64)

#define SEAM_OPENS_CHECKED(name, parameters, ...)                                        \
    extern int name parameters;                                                          \
    SEAM_EXPORT int name parameters { return opened(path, SEAM_REAL(name)(__VA_ARGS__)); }

SEAM_OPENS_CHECKED(__open_2, (const char *path, int flags), path, flags)
SEAM_OPENS_CHECKED(__open64_2, (const char *path, int flags), path, flags)
SEAM_OPENS_CHECKED(__openat_2, (int folder, const char *path, int flags), folder, path, flags)
SEAM_OPENS_CHECKED(__openat64_2, (int folder, const char *path, int flags), folder, path, flags)

static ssize_t read_stream(void *context, char *bytes, size_t count) { return fill(context, bytes, count); }

/// A stream over the seed, where stdio would read the file past us.
SEAM_ON_THE_WAY FILE *stream_of(const char *path, const char *mode) {
    seam_context *context = seam_current();
    if (context == NULL || !is_random_path(path) || mode == NULL || mode[0] != 'r') return NULL;
    return fopencookie(context, mode, (cookie_io_functions_t){.read = read_stream});
}

SEAM_EXPORT FILE *fopen(const char *restrict path, const char *restrict mode) {
    FILE *stream = stream_of(path, mode);
    return stream != NULL ? stream : SEAM_REAL(fopen)(path, mode);
}

SEAM_EXPORT FILE *fopen64(const char *restrict path, const char *restrict mode) {
    FILE *stream = stream_of(path, mode);
    return stream != NULL ? stream : SEAM_REAL(fopen64)(path, mode);
}

// Other numbers for the same file

SEAM_EXPORT int dup(int file) {
    int copy = SEAM_REAL(dup)(file);
    mark(copy, is_marked(file));
    return copy;
}

SEAM_EXPORT int dup2(int file, int copy) {
    int result = SEAM_REAL(dup2)(file, copy);
    mark(result, is_marked(file));
    return result;
}

SEAM_EXPORT int dup3(int file, int copy, int flags) {
    int result = SEAM_REAL(dup3)(file, copy, flags);
    mark(result, is_marked(file));
    return result;
}

SEAM_EXPORT int close(int file) {
    mark(file, false);
    return SEAM_REAL(close)(file);
}

// Reading

#define SEAM_READS(name, parameters, filled, ...)                                        \
    extern ssize_t name parameters;                                                      \
    SEAM_EXPORT ssize_t name parameters {                                                \
        seam_context *context = answers(file);                                           \
        return context != NULL ? filled : SEAM_REAL(name)(__VA_ARGS__);                  \
    }

SEAM_READS(read, (int file, void *bytes, size_t count), fill(context, bytes, count), file, bytes, count)
SEAM_READS(
    __read_chk, (int file, void *bytes, size_t count, size_t size), fill(context, bytes, count), file, bytes, count, size
)
SEAM_READS(
    pread, (int file, void *bytes, size_t count, off_t offset), fill(context, bytes, count), file, bytes, count, offset
)
SEAM_READS(
    pread64, (int file, void *bytes, size_t count, off64_t offset), fill(context, bytes, count), file, bytes, count,
    offset
)
SEAM_READS(
    __pread_chk, (int file, void *bytes, size_t count, off_t offset, size_t size), fill(context, bytes, count), file,
    bytes, count, offset, size
)
SEAM_READS(
    __pread64_chk, (int file, void *bytes, size_t count, off64_t offset, size_t size), fill(context, bytes, count), file,
    bytes, count, offset, size
)
SEAM_READS(
    readv, (int file, const struct iovec *parts, int count), fill_all(context, parts, count), file, parts, count
)
SEAM_READS(
    preadv, (int file, const struct iovec *parts, int count, off_t offset), fill_all(context, parts, count), file, parts,
    count, offset
)
SEAM_READS(
    preadv64, (int file, const struct iovec *parts, int count, off64_t offset), fill_all(context, parts, count), file,
    parts, count, offset
)
SEAM_READS(
    preadv2, (int file, const struct iovec *parts, int count, off_t offset, int flags), fill_all(context, parts, count),
    file, parts, count, offset, flags
)
SEAM_READS(
    preadv64v2, (int file, const struct iovec *parts, int count, off64_t offset, int flags),
    fill_all(context, parts, count), file, parts, count, offset, flags
)
