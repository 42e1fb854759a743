/**
 * The door to `libengram.so`: opens it, and turns its answers into values or typed errors.
 *
 * The library is imported as a file, so `bun build --compile` puts it inside the executable and `dlopen`
 * takes it from there; in a checkout it is `dist/libengram.so`, made by `src/build/native.ts`. Each file of
 * this room declares the functions of one concern and calls `openShim` once, when it is imported. A thread
 * that imports it gets the same mapping of the library: addresses may be handed between threads.
 *
 * Every shim function returns 0 or a count, or a negative errno (native/shim.h).
 */
import { dlopen, type FFIFunction } from "bun:ffi";
import { constants } from "node:os";
import libraryPath from "../../dist/libengram.so" with { type: "file" };
import { OperatorError } from "../base/errors.ts";

/** What `shim_abi_version` must answer: native/version.c and this number are raised together. */
const SHIM_ABI_VERSION = 1;

/** Where the library lies: on disk in a checkout, inside the executable in `/$bunfs/`. */
export const shimPath: string = libraryPath;

/**
 * Opens functions of the library by name.
 *
 * @throws {OperatorError} `native-library-unusable` when it can not be loaded, lacks one, or is of another version
 */
export function openShim<const Fns extends Record<string, FFIFunction>>(functions: Fns) {
  try {
    const library = dlopen(libraryPath, functions);
    assertVersion();
    return library.symbols;
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    throw new OperatorError({
      code: "native-library-unusable",
      message: `Cannot load the native library: ${cause instanceof Error ? cause.message : String(cause)}`,
      remedy: "Build it again (npm run build:native); it needs glibc 2.36 or newer",
      cause,
    });
  }
}

/** The name of an errno as C writes it ("ENOSPC"), or "errno 133" where this system has no name for it. */
export function errnoName(errno: number): string {
  return ERRNO_NAMES.get(errno) ?? `errno ${errno}`;
}

/** True when the shim's answer is this error: `isErrno(answer, "EWOULDBLOCK")`. */
export function isErrno(answer: number, name: keyof typeof constants.errno): boolean {
  return answer === -constants.errno[name];
}

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, errno]) => [errno as number, name]));

let versionChecked = false;

function assertVersion(): void {
  if (versionChecked) return;
  const { shim_abi_version } = dlopen(libraryPath, {
    shim_abi_version: { args: [], returns: "i32" },
  }).symbols;
  const found = shim_abi_version();
  if (found !== SHIM_ABI_VERSION) {
    throw new OperatorError({
      code: "native-library-unusable",
      message: `Cannot use the native library: it has interface version ${found}, this program needs ${SHIM_ABI_VERSION}`,
      remedy: "Build it again: npm run build:native",
    });
  }
  versionChecked = true;
}
