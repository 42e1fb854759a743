/**
 * The directory a report is written to: found usable before the work begins, filled at its end. Files come under
 * their names when they are whole; what was begun is taken away where one can not be written.
 *
 *   open ──write──▶ files ──rename──▶ there        open ──discard──▶ as it was
 */
import { mkdirSync, renameSync, rmdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "../base/errors.ts";

const PROBE = ".profile-probe";
/** A report takes some hundred KiB. */
const FREE_BYTES_MIN = 4 * 1024 * 1024;

export class ReportDirectory {
  readonly path: string;
  /** the first directory that was made, and is taken away again where nothing is written */
  readonly #made: string | undefined;

  private constructor(path: string, made: string | undefined) {
    this.path = path;
    this.#made = made;
  }

  /** @throws {OperatorError} `report-unwritable` */
  static open(path: string): ReportDirectory {
    try {
      const made = mkdirSync(path, { recursive: true });
      const probe = join(path, PROBE);
      writeFileSync(probe, "");
      rmSync(probe);
      const directory = new ReportDirectory(path, made);
      const { bavail, bsize } = statfsSync(path);
      if (bavail * bsize >= FREE_BYTES_MIN) return directory;
      directory.discard();
    } catch (cause) {
      throw unwritable(path, cause);
    }
    throw unwritable(path, { code: "ENOSPC" });
  }

  /** @param files contents by name @throws {OperatorError} `report-unwritable`; nothing of them stays then */
  write(files: Readonly<Record<string, string | Uint8Array>>): void {
    const begun: string[] = [];
    try {
      for (const [name, content] of Object.entries(files)) {
        const partial = join(this.path, `${name}.partial`);
        begun.push(partial);
        writeFileSync(partial, content);
      }
      for (const name of Object.keys(files)) {
        renameSync(join(this.path, `${name}.partial`), join(this.path, name));
      }
    } catch (cause) {
      for (const partial of begun) rmSync(partial, { force: true });
      throw unwritable(this.path, cause);
    }
  }

  /** Takes the directory away where this made it and nothing came into it. */
  discard(): void {
    if (this.#made === undefined) return;
    try {
      rmdirSync(this.path);
      if (this.#made !== this.path) rmdirSync(this.#made);
    } catch {
      // Something lies in it: it is somebody's.
    }
  }
}

function unwritable(path: string, cause: unknown): OperatorError {
  const { code } = cause as NodeJS.ErrnoException;
  return new OperatorError({
    code: "report-unwritable",
    message: `Cannot write the report to ${path}: ${code ?? cause}`,
    remedy:
      code === "ENOSPC" || code === "EDQUOT"
        ? "Free space there, or name a directory on another disk with --out"
        : "Name a directory that may be written to with --out",
    cause,
  });
}
