/* Files: the few calls that storage makes, each finished or failed, never half.
 *
 * write(2) may write less than asked and any call may be interrupted by a signal; the loops here deal with
 * both, so that what JavaScript sees is all or an errno. Memory is handed in by address: arenas and log
 * buffers are written from where they lie. Safe from any thread; the file position is never used. */
#include "shim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Linux moves at most this much in one call, whatever is asked. */
#define IO_BYTES_MAX (1ull << 30)
#define ZERO_BYTES (1u << 20)

/* Open `path` (open(2) flags; O_CLOEXEC is added). Returns the descriptor. */
SHIM_EXPORT int32_t shim_file_open(const char *path, int32_t flags, uint32_t mode) {
    int fd;
    do fd = open(path, flags | O_CLOEXEC, (mode_t)mode);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

/* Close. An error (EIO, EDQUOT) means earlier writes may be lost; the descriptor is gone either way. */
SHIM_EXPORT int32_t shim_file_close(int32_t fd) {
    if (close(fd) == 0 || errno == EINTR) return 0;
    return -errno;
}

/* Write `bytes` from `address` at `offset`, all of them. After an error an unknown part is written. */
SHIM_EXPORT int32_t shim_file_pwrite_all(int32_t fd, const uint8_t *address, uint64_t bytes, uint64_t offset) {
    while (bytes > 0) {
        const ssize_t done = pwrite(fd, address, bytes < IO_BYTES_MAX ? bytes : IO_BYTES_MAX, (off_t)offset);
        if (done < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        if (done == 0) return -EIO; /* Never seen on a regular file; a loop without end would be worse. */
        address += done;
        offset += (uint64_t)done;
        bytes -= (uint64_t)done;
    }
    return 0;
}

/* Read `bytes` at `offset` to `address`. Returns how many came: fewer only at the end of the file. */
SHIM_EXPORT int64_t shim_file_pread_all(int32_t fd, uint8_t *address, uint64_t bytes, uint64_t offset) {
    uint64_t total = 0;
    while (total < bytes) {
        const uint64_t left = bytes - total;
        const ssize_t done = pread(fd, address + total, left < IO_BYTES_MAX ? left : IO_BYTES_MAX, (off_t)(offset + total));
        if (done < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        if (done == 0) break;
        total += (uint64_t)done;
    }
    return (int64_t)total;
}

/* Make written data durable, and of the metadata what is needed to read it back (size).
 * After an error the file must not be trusted: the kernel drops the dirty pages and answers 0 next time. */
SHIM_EXPORT int32_t shim_file_datasync(int32_t fd) {
    int answer;
    do answer = fdatasync(fd);
    while (answer < 0 && errno == EINTR);
    return answer < 0 ? -errno : 0;
}

/* As shim_file_datasync(), and all metadata. */
SHIM_EXPORT int32_t shim_file_sync(int32_t fd) {
    int answer;
    do answer = fsync(fd);
    while (answer < 0 && errno == EINTR);
    return answer < 0 ? -errno : 0;
}

/* Make a directory's entries durable: files made, renamed and removed in it. */
SHIM_EXPORT int32_t shim_file_sync_directory(const char *path) {
    const int32_t fd = shim_file_open(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return fd;
    const int32_t answer = shim_file_sync(fd);
    close(fd);
    return answer;
}

/* Write zeros over the range. A range that fallocate(2) made is marked unwritten, and the first write to each
 * part of it changes metadata that fdatasync(2) then has to journal; a zeroed one syncs in half the time. */
SHIM_EXPORT int32_t shim_file_zero(int32_t fd, uint64_t offset, uint64_t bytes) {
    uint8_t *zeros = calloc(1, ZERO_BYTES);
    if (zeros == NULL) return -ENOMEM;
    int32_t answer = 0;
    for (uint64_t done = 0; done < bytes && answer == 0; done += ZERO_BYTES) {
        const uint64_t left = bytes - done;
        answer = shim_file_pwrite_all(fd, zeros, left < ZERO_BYTES ? left : ZERO_BYTES, offset + done);
    }
    free(zeros);
    return answer;
}

/* Give the range blocks on the disk, so that writing there later can not fail for want of space.
 * Where the file system has no fallocate(2), zeros are written instead: use it on fresh ranges only. */
SHIM_EXPORT int32_t shim_file_reserve(int32_t fd, uint64_t offset, uint64_t bytes) {
    int answer;
    do answer = fallocate(fd, 0, (off_t)offset, (off_t)bytes);
    while (answer < 0 && errno == EINTR);
    if (answer == 0) return 0;
    if (errno == EOPNOTSUPP || errno == ENOSYS) return shim_file_zero(fd, offset, bytes);
    return -errno;
}

/* Set the size; a grown part reads as zeros. */
SHIM_EXPORT int32_t shim_file_truncate(int32_t fd, uint64_t bytes) {
    int answer;
    do answer = ftruncate(fd, (off_t)bytes);
    while (answer < 0 && errno == EINTR);
    return answer < 0 ? -errno : 0;
}

/* Returns the size in bytes. */
SHIM_EXPORT int64_t shim_file_size(int32_t fd) {
    struct stat facts;
    return fstat(fd, &facts) < 0 ? -(int64_t)errno : (int64_t)facts.st_size;
}

/* Replace `to` by `from` in one step. Durable once the directory is synced. */
SHIM_EXPORT int32_t shim_file_rename(const char *from, const char *to) {
    return rename(from, to) < 0 ? -errno : 0;
}

/* Take the exclusive lock of the open file, without waiting: -EWOULDBLOCK when another process has it.
 * It ends with the descriptor, so also when the process is killed. */
SHIM_EXPORT int32_t shim_file_lock(int32_t fd) {
    int answer;
    do answer = flock(fd, LOCK_EX | LOCK_NB);
    while (answer < 0 && errno == EINTR);
    return answer < 0 ? -errno : 0;
}

/* Begin writing dirty pages of the range to the disk without waiting, so that a later sync has less to do. */
SHIM_EXPORT int32_t shim_file_start_writeback(int32_t fd, uint64_t offset, uint64_t bytes) {
    return sync_file_range(fd, (off_t)offset, (off_t)bytes, SYNC_FILE_RANGE_WRITE) < 0 ? -errno : 0;
}

/* Tell the kernel that the range's cached pages are not needed again (only clean ones are dropped). */
SHIM_EXPORT int32_t shim_file_drop_cache(int32_t fd, uint64_t offset, uint64_t bytes) {
    return -posix_fadvise(fd, (off_t)offset, (off_t)bytes, POSIX_FADV_DONTNEED);
}
