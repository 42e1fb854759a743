/* The shim's own version: raised when an export changes its arguments, so that a stale library is named
 * as such instead of being called with the wrong ones. */
#include "shim.h"

#define SHIM_ABI_VERSION 1

/* Returns SHIM_ABI_VERSION; src/ffi/library.ts compares it with what it was written for. */
SHIM_EXPORT int32_t shim_abi_version(void) { return SHIM_ABI_VERSION; }
