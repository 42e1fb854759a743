/* fdatasync that fails once, for a test: the call number ENGRAM_TEST_FAIL_AT on a file whose path holds
 * ENGRAM_TEST_FAIL_PATH answers EIO, as a dying disk does. Preloaded into the appliance (LD_PRELOAD). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int call_count;

int fdatasync(int fd) {
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    const char *at = getenv("ENGRAM_TEST_FAIL_AT");
    const char *part = getenv("ENGRAM_TEST_FAIL_PATH");
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t bytes = readlink(link, path, sizeof path - 1);
    if (at != NULL && part != NULL && bytes > 0) {
        path[bytes] = 0;
        if (strstr(path, part) != NULL && atomic_fetch_add(&call_count, 1) + 1 == atoi(at)) {
            errno = EIO;
            return -1;
        }
    }
    return real(fd);
}
