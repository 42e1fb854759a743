/* fdatasync that takes its time, for a test: while the file ENGRAM_TEST_SLOW_WHILE exists, every call waits
 * ENGRAM_TEST_SLOW_MS, as on a disk that another program keeps busy. Preloaded into the appliance (LD_PRELOAD). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int fdatasync(int fd) {
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    const char *while_file = getenv("ENGRAM_TEST_SLOW_WHILE");
    const char *ms = getenv("ENGRAM_TEST_SLOW_MS");
    if (while_file != NULL && ms != NULL && access(while_file, F_OK) == 0) {
        const long wait_ms = atol(ms);
        const struct timespec wait = {.tv_sec = wait_ms / 1000, .tv_nsec = (wait_ms % 1000) * 1000000};
        nanosleep(&wait, NULL);
    }
    return real(fd);
}
