/**
 * A file operation that the system refused, with the errno it gave.
 *
 * Storage tells a full disk (ENOSPC, EDQUOT) from the rest by `errno`; everybody else sees an OperatorError.
 */
import { OperatorError } from "../base/errors.ts";
import { errnoName } from "./library.ts";

export class FileError extends OperatorError {
  /** as C writes it: "ENOSPC" */
  readonly errno: string;

  /**
   * @param action what was tried, as "write 4096 bytes at 8192 of descriptor 7"
   * @param answer the shim's: a negative errno
   */
  constructor(action: string, answer: number) {
    const errno = errnoName(-answer);
    super({
      code: "file-operation-failed",
      message: `Cannot ${action}: ${errno}`,
      remedy: REMEDIES[errno] ?? "Look at the kernel's log (dmesg) for the device's own words, and check it",
    });
    this.errno = errno;
  }
}

/** Whether the disk, or this user's share of it, is full. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof FileError && (error.errno === "ENOSPC" || error.errno === "EDQUOT");
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "Free disk space, then try again",
  EDQUOT: "Raise the user's disk quota or free some of it, then try again",
  EACCES: "Give the appliance's user access to the data directory (chown, chmod)",
  EPERM: "Give the appliance's user access to the data directory (chown, chmod)",
  EROFS: "Mount the data directory's file system for writing",
  ENOENT: "Check that the path exists, and that nothing removed it while the appliance was running",
  EMFILE: "Raise the limit of open files (LimitNOFILE= in the unit, ulimit -n)",
  ENFILE: "Raise the system's limit of open files (sysctl fs.file-max)",
  EIO: "The device failed: check it (dmesg, smartctl) before writing to it again",
};
