/* The process as a whole. */
#include "shim.h"

#include <unistd.h>

/* Replace the program by another, in the same process: same id, same open descriptors but for those marked
 * close-on-exec. All threads end. Returns only on failure, with a negative errno.
 *
 *   arguments, environment  ended by a null address each */
SHIM_EXPORT int32_t shim_process_replace(const char *path, char *const *arguments, char *const *environment) {
    execve(path, arguments, environment);
    return -errno;
}
