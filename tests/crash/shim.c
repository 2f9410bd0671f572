/* Sees every call by which a process changes files below a folder, and makes one of them fail, or kills the process.

   Loaded by LD_PRELOAD. What is to happen stands in a file that all processes map (`struct state`, written by shim.py):
   which calls are counted, at which of them something happens, and what. Calls are counted over all processes. While it
   records, a line goes to a log for every call: number, process, call, path, second path, bytes and hash of the file
   that gets a name. Calls by way of stdio are not seen, nor system calls made without the C library. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NOTHING, KILL_BEFORE, KILL_AFTER, KILL_HALF, FAIL, SHORT, READ_ONLY };
enum { CHANGES = 1, READS = 2, OPENS = 4, WRITES = 8 };

struct state {
    int32_t armed, fault, error, kinds, group, record;
    int64_t at, count, fired, settled;
    char root[1024], log[1024];
};

static struct state *state;
static int log_file = -1;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("MIXC_SHIM_STATE");
    if (path == NULL) return;
    int file = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    void *place = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    syscall(SYS_close, file);
    if (place != MAP_FAILED) state = place;
}

static int below(const char *path) {
    size_t length = strlen(state->root);
    return length && strncmp(path, state->root, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* The path of an open file, "" if there is none. */
static void path_of(int file, char *out) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = syscall(SYS_readlinkat, AT_FDCWD, link, out, 4000);
    out[size < 0 ? 0 : size] = 0;
}

/* A path as an absolute one. */
static void absolute(int folder, const char *path, char *out) {
    if (path[0] == '/') {
        snprintf(out, 4096, "%s", path);
        return;
    }
    if (folder == AT_FDCWD) {
        if (syscall(SYS_getcwd, out, 2000) < 0) out[0] = 0;
    } else
        path_of(folder, out);
    size_t size = strlen(out);
    if (strcmp(path, ".") != 0) snprintf(out + size, 4096 - size, "/%s", path);
}

/* zlib's crc32 of a file, and its size; -1 if it cannot be read, as a folder. */
static uint32_t content(const char *path, int64_t *bytes) {
    static __thread unsigned char piece[1 << 16];
    uint32_t sum = 0xffffffffu;
    ssize_t size = -1;
    *bytes = -1;
    int file = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    for (int64_t seen = 0; (size = syscall(SYS_read, file, piece, sizeof piece)) >= 0; *bytes = seen += size) {
        if (size == 0) {
            *bytes = seen;
            break;
        }
        for (ssize_t i = 0; i < size; i++) {
            sum ^= piece[i];
            for (int bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >> 1 ^ 0xedb88320u : sum >> 1;
        }
    }
    syscall(SYS_close, file);
    return ~sum;
}

static void recorded(int64_t number, const char *call, const char *path, const char *other, int named) {
    char line[9000];
    int64_t bytes = -1;
    uint32_t hash = 0;
    if (log_file < 0) {
        int file = syscall(SYS_openat, AT_FDCWD, state->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0) return;
        log_file = syscall(SYS_fcntl, file, F_DUPFD_CLOEXEC, 700);
        syscall(SYS_close, file);
    }
    if (named) hash = content(path, &bytes);
    int size = snprintf(line, sizeof line, "%ld\t%d\t%s\t%s\t%s\t%ld\t%08x\n", (long)number, (int)getpid(), call, path,
                        other, (long)bytes, hash);
    syscall(SYS_write, log_file, line, size);
}

static void die(void) {
    if (state->group) syscall(SYS_kill, 0, SIGKILL);
    syscall(SYS_kill, getpid(), SIGKILL);
}

/* What is to happen at this call; kills by itself where it is to happen before. */
static int met(const char *call, const char *path, const char *other, int kinds, int named) {
    if (state == NULL || !state->armed || !(kinds & state->kinds)) return NOTHING;
    if (!below(path) && !(other[0] && below(other))) return NOTHING;
    int saved = errno;
    int64_t number = __atomic_add_fetch(&state->count, 1, __ATOMIC_SEQ_CST);
    if (state->record) recorded(number, call, path, other, named);
    if (state->fault == READ_ONLY && number >= state->at && !state->settled) {
        /* refused while any file is open for writing: then at the next call */
        if (mount(NULL, state->root, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0) state->settled = state->fired = number;
    }
    errno = saved;
    if (number != state->at || state->fault == READ_ONLY) return NOTHING;
    state->fired = number;
    if (state->fault == KILL_BEFORE) die();
    return state->fault;
}

#define REAL(name) ({ static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name); real; })

/* One call: nothing, or fails, or is made and followed by death. */
#define MADE(fault, result_type, failed, made) \
    ({ \
        result_type result_; \
        int fault_ = (fault); \
        if (fault_ == FAIL) { errno = state->error; result_ = (failed); } \
        else { \
            result_ = (made); \
            if (fault_ == KILL_AFTER || fault_ == KILL_HALF) die(); \
        } \
        result_; \
    })

static int opening(int folder, const char *path, int flags) {
    char whole[4096];
    if (state == NULL || !state->armed) return NOTHING;
    absolute(folder, path, whole);
    int changes = flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC);
    const char *call = flags & O_TRUNC ? "truncating open" : changes ? "open" : "reading open";
    return met(call, whole, "", (changes ? CHANGES : READS) | OPENS, 0);
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { MODE(flags) return MADE(opening(AT_FDCWD, path, flags), int, -1, REAL(open)(path, flags, mode)); }
int open64(const char *path, int flags, ...) { MODE(flags) return MADE(opening(AT_FDCWD, path, flags), int, -1, REAL(open64)(path, flags, mode)); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags) return MADE(opening(folder, path, flags), int, -1, REAL(openat)(folder, path, flags, mode)); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags) return MADE(opening(folder, path, flags), int, -1, REAL(openat64)(folder, path, flags, mode)); }
int creat(const char *path, mode_t mode) { return MADE(opening(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC), int, -1, REAL(creat)(path, mode)); }
int __open_2(const char *path, int flags) { return open(path, flags); }
int __open64_2(const char *path, int flags) { return open64(path, flags); }
int __openat_2(int folder, const char *path, int flags) { return openat(folder, path, flags); }
int __openat64_2(int folder, const char *path, int flags) { return openat64(folder, path, flags); }

static int changing(const char *call, int file, int kinds) {
    char path[4096];
    if (state == NULL || !state->armed) return NOTHING;
    path_of(file, path);
    return met(call, path, "", CHANGES | kinds, 0);
}

static size_t part(int fault, size_t size) { return (fault == SHORT || fault == KILL_HALF) && size > 1 ? size / 2 : size; }

ssize_t write(int file, const void *data, size_t size) {
    int fault = changing("write", file, WRITES);
    return MADE(fault, ssize_t, -1, REAL(write)(file, data, part(fault, size)));
}
ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    int fault = changing("pwrite", file, WRITES);
    return MADE(fault, ssize_t, -1, REAL(pwrite)(file, data, part(fault, size), at));
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    int fault = changing("pwrite", file, WRITES);
    return MADE(fault, ssize_t, -1, REAL(pwrite64)(file, data, part(fault, size), at));
}
ssize_t writev(int file, const struct iovec *data, int count) {
    int fault = changing("writev", file, WRITES);
    return MADE(fault, ssize_t, -1, REAL(writev)(file, data, (int)part(fault, count)));
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) {
    int fault = changing("copy", out, WRITES);
    return MADE(fault, ssize_t, -1, REAL(copy_file_range)(in, from, out, to, part(fault, size), flags));
}
ssize_t sendfile64(int out, int in, off64_t *from, size_t size);
ssize_t sendfile64(int out, int in, off64_t *from, size_t size) {
    int fault = changing("copy", out, WRITES);
    return MADE(fault, ssize_t, -1, REAL(sendfile64)(out, in, from, part(fault, size)));
}
int fsync(int file) { return MADE(changing("fsync", file, 0), int, -1, REAL(fsync)(file)); }
int fdatasync(int file) { return MADE(changing("fsync", file, 0), int, -1, REAL(fdatasync)(file)); }
int ftruncate(int file, off_t size) { return MADE(changing("truncate", file, 0), int, -1, REAL(ftruncate)(file, size)); }
int ftruncate64(int file, off64_t size) { return MADE(changing("truncate", file, 0), int, -1, REAL(ftruncate64)(file, size)); }
int fchmod(int file, mode_t mode) { return MADE(changing("chmod", file, 0), int, -1, REAL(fchmod)(file, mode)); }

static int naming(const char *call, int folder, const char *path, int other_folder, const char *other, int named) {
    char whole[4096], second[4096] = "";
    if (state == NULL || !state->armed) return NOTHING;
    absolute(folder, path, whole);
    if (other != NULL) absolute(other_folder, other, second);
    return met(call, whole, second, CHANGES, named);
}

int rename(const char *from, const char *to) { return MADE(naming("rename", AT_FDCWD, from, AT_FDCWD, to, 1), int, -1, REAL(rename)(from, to)); }
int renameat(int a, const char *from, int b, const char *to) { return MADE(naming("rename", a, from, b, to, 1), int, -1, REAL(renameat)(a, from, b, to)); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return MADE(naming("rename", a, from, b, to, 1), int, -1, REAL(renameat2)(a, from, b, to, flags)); }
int link(const char *from, const char *to) { return MADE(naming("link", AT_FDCWD, from, AT_FDCWD, to, 1), int, -1, REAL(link)(from, to)); }
int linkat(int a, const char *from, int b, const char *to, int flags) { return MADE(naming("link", a, from, b, to, 1), int, -1, REAL(linkat)(a, from, b, to, flags)); }
int symlink(const char *to, const char *path) { return MADE(naming("symlink", AT_FDCWD, path, 0, NULL, 0), int, -1, REAL(symlink)(to, path)); }
int unlink(const char *path) { return MADE(naming("unlink", AT_FDCWD, path, 0, NULL, 0), int, -1, REAL(unlink)(path)); }
int unlinkat(int folder, const char *path, int flags) { return MADE(naming("unlink", folder, path, 0, NULL, 0), int, -1, REAL(unlinkat)(folder, path, flags)); }
int rmdir(const char *path) { return MADE(naming("rmdir", AT_FDCWD, path, 0, NULL, 0), int, -1, REAL(rmdir)(path)); }

/* A folder that is there already is not made. */
static int making(int folder, const char *path) {
    struct stat found;
    int saved = errno;
    if (state == NULL || !state->armed) return NOTHING;
    if (fstatat(folder, path, &found, AT_SYMLINK_NOFOLLOW) == 0) return NOTHING;
    errno = saved;
    return naming("mkdir", folder, path, 0, NULL, 0);
}
int mkdir(const char *path, mode_t mode) { return MADE(making(AT_FDCWD, path), int, -1, REAL(mkdir)(path, mode)); }
int mkdirat(int folder, const char *path, mode_t mode) { return MADE(making(folder, path), int, -1, REAL(mkdirat)(folder, path, mode)); }
int truncate(const char *path, off_t size) { return MADE(naming("truncate", AT_FDCWD, path, 0, NULL, 0), int, -1, REAL(truncate)(path, size)); }
int chmod(const char *path, mode_t mode) { return MADE(naming("chmod", AT_FDCWD, path, 0, NULL, 0), int, -1, REAL(chmod)(path, mode)); }
