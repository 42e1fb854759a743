/* Tells the service manager how the appliance is: sd_notify over a Unix datagram socket.
 *
 * Here and not in JavaScript, because Bun has no Unix datagram sockets (node:dgram takes udp4 and udp6
 * only). libsystemd is not linked: the protocol is one datagram of lines such as READY=1 (sd_notify(3)). */
#include "shim.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Sends one datagram to a Unix socket.
 *
 *   path   $NOTIFY_SOCKET: a path, or an abstract name written with a leading @
 *   state  the lines, as UTF-8
 *
 * Returns 0 or a negative errno: -EINVAL for a name that is neither form, -E2BIG for one too long,
 * -ENOENT or -ECONNREFUSED where nobody listens. Never waits: -EAGAIN when the receiver is behind.
 * Safe from any thread. */
SHIM_EXPORT int32_t shim_notify_send(const char *path, const char *state) {
    const size_t path_bytes = strlen(path);
    if (path_bytes < 2 || (path[0] != '/' && path[0] != '@')) return -EINVAL;

    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path_bytes >= sizeof(address.sun_path)) return -E2BIG;
    memcpy(address.sun_path, path, path_bytes);
    if (path[0] == '@') address.sun_path[0] = '\0';
    /* The length tells abstract names apart, so it ends with the name, not with the array. */
    const socklen_t address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_bytes);

    const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    const ssize_t sent = sendto(descriptor, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
                                (const struct sockaddr *)&address, address_bytes);
    const int32_t result = sent < 0 ? -errno : 0;
    close(descriptor);
    return result;
}
