#include <sqlite3.h>

/* What Swift cannot call or say: variadic functions, casts of integers to pointers, and a structure that begins with SQLite's own. */

/* A file of a VFS of ours: SQLite allocates it, and finds its own part first. */
typedef struct windkanal_file {
    sqlite3_file base;
    void *handle;
} windkanal_file;

/* SQLite copies what is bound while it binds. */
static inline int windkanal_bind_text(sqlite3_stmt *statement, int index, const char *text, int bytes) {
    return sqlite3_bind_text(statement, index, text, bytes, SQLITE_TRANSIENT);
}

static inline int windkanal_bind_blob(sqlite3_stmt *statement, int index, const void *blob, int bytes) {
    return sqlite3_bind_blob(statement, index, blob, bytes, SQLITE_TRANSIENT);
}

/* From now on the numbers that SQLite draws follow from `seed`, in the whole process; not 0. */
static inline int windkanal_seed_randomness(int seed) {
    return sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, seed, (sqlite3 *)0);
}

/* Closing the last connection leaves the WAL as it is. */
static inline int windkanal_keep_wal_on_close(sqlite3 *connection) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

/* Extended result codes: expressions that Swift does not read. */
static const int windkanal_ioerr_read = SQLITE_IOERR_READ;
static const int windkanal_ioerr_short_read = SQLITE_IOERR_SHORT_READ;
static const int windkanal_ioerr_write = SQLITE_IOERR_WRITE;
static const int windkanal_ioerr_fsync = SQLITE_IOERR_FSYNC;
static const int windkanal_ioerr_fstat = SQLITE_IOERR_FSTAT;
static const int windkanal_ioerr_delete = SQLITE_IOERR_DELETE;
static const int windkanal_ioerr_delete_noent = SQLITE_IOERR_DELETE_NOENT;
static const int windkanal_ioerr_lock = SQLITE_IOERR_LOCK;
static const int windkanal_ioerr_shmmap = SQLITE_IOERR_SHMMAP;
static const int windkanal_ioerr_shmlock = SQLITE_IOERR_SHMLOCK;
