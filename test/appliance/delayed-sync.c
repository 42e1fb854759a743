/* fdatasync that takes ENGRAM_TEST_SYNC_DELAY_MS longer on a file whose path holds ENGRAM_TEST_SYNC_DELAY_PATH, as a
 * slow disk does. Preloaded into the appliance (LD_PRELOAD). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fdatasync(int fd) {
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    const char *delay = getenv("ENGRAM_TEST_SYNC_DELAY_MS");
    const char *part = getenv("ENGRAM_TEST_SYNC_DELAY_PATH");
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t bytes = readlink(link, path, sizeof path - 1);
    if (delay != NULL && part != NULL && bytes > 0) {
        path[bytes] = 0;
        if (strstr(path, part) != NULL) usleep((useconds_t)atoi(delay) * 1000);
    }
    return real(fd);
}
