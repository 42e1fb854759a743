/* What every file of the shim shares: how a function is exported, and what it may answer.
 *
 * Every export starts with shim_, takes plain numbers and addresses, and returns 0 (or a count, where its
 * comment says so) or a negative errno. The code is the return value because errno may be overwritten
 * before JavaScript runs again. Out arguments are written only on success, unless a comment says otherwise.
 * Nothing is remembered between calls except what is handed out as an address. */
#ifndef ENGRAM_SHIM_H
#define ENGRAM_SHIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define SHIM_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define SHIM_EXPORT __attribute__((visibility("default")))
#endif

#define SHIM_HUGE_PAGE_BYTES (2ull * 1024 * 1024)

#endif
