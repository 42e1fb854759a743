/**
 * The one door through which `doctor` sees the machine: files of the kernel, file systems, and programs
 * that answer a question. Tests hand in another one.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { type Fact, known, unavailable } from "../../base/fact.ts";

export type Host = {
  /** the text of a file of /proc, /sys or /etc, without its last line end */
  read(path: string): Fact<string>;
  /** the names in a directory, sorted */
  list(path: string): Fact<string[]>;
  exists(path: string): boolean;
  /** whether this process may write there */
  writable(path: string): boolean;
  stat(path: string): Fact<{ readonly mode: number; readonly uid: number; readonly device: number }>;
  /** `type` is the file system's magic number, sizes are bytes */
  fileSystem(
    path: string,
  ): Fact<{ readonly type: number; readonly bytes: number; readonly bytesFree: number }>;
  /** what a program prints; unavailable when it is missing or fails */
  ask(program: string, words: readonly string[]): Fact<string>;
  /** whether an address can be listened on: undefined, or the errno that refuses it */
  listenError(address: string, port: number): Promise<string | undefined>;
  readonly userId: number;
  readonly architecture: string;
};

export const realHost: Host = {
  read: (path) => attempt(() => readFileSync(path, "utf8").trimEnd()),
  list: (path) => attempt(() => readdirSync(path).sort()),
  exists: existsSync,
  writable(path) {
    try {
      accessSync(path, constants.W_OK | constants.X_OK);
      return true;
    } catch {
      return false;
    }
  },
  stat: (path) =>
    attempt(() => {
      const { mode, uid, dev } = statSync(path);
      return { mode: mode & 0o7777, uid, device: dev };
    }),
  fileSystem: (path) =>
    attempt(() => {
      const { type, bsize, blocks, bavail } = statfsSync(path);
      return { type, bytes: blocks * bsize, bytesFree: bavail * bsize };
    }),
  ask(program, words) {
    const answer = spawnSync(program, words, { encoding: "utf8", timeout: 3000 });
    if (answer.error !== undefined) return unavailable(`${program}: ${errorCode(answer.error)}`);
    if (answer.status !== 0) return unavailable(`${program} ended with status ${answer.status}`);
    return known(answer.stdout.trim());
  },
  listenError: (address, port) =>
    new Promise((resolve) => {
      const server = createServer();
      server.once("error", (error) => resolve(errorCode(error)));
      server.listen(port, address, () => server.close(() => resolve(undefined)));
    }),
  userId: process.getuid?.() ?? 0,
  architecture: process.arch,
};

function attempt<T>(read: () => T): Fact<T> {
  try {
    return known(read());
  } catch (error) {
    return unavailable(errorCode(error));
  }
}

function errorCode(error: unknown): string {
  const { code, path } = error as NodeJS.ErrnoException;
  return code === undefined ? String(error) : path === undefined ? code : `${path}: ${code}`;
}
