/**
 * The appliance as a bench runs it: a process of its own, on a free port, with its data on a disk.
 *
 *   start ──▶ serving ──stop──▶ stopped      SIGTERM: drained, with a last checkpoint
 *                └──────kill──▶ killed       SIGKILL: recovery has the log
 *
 * It is the built executable where that is newer than every source file, else Bun with `src/main.ts`. What it
 * costs is read from /proc: processor time of all its threads, and by what they are for (threads are named
 * `api-0`, `writer-0` and so on; those of Bun itself are "runtime"), and its resident memory.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TICKS_PER_SECOND } from "./report.ts";

const ROOT = join(import.meta.dir, "../..");
const READY_MS_MAX = 120_000;
const STOP_MS_MAX = 120_000;
/** f_type of memory file systems (statfs(2)): a sync to one of these costs nothing, and shows nothing. */
const MEMORY_FILE_SYSTEMS = new Set([0x01021994, 0x858458f6]);

/** `section.name` of settings, as strings: `{ "index.tail_max": "4096" }`. */
export type BenchSettings = Readonly<Record<string, string>>;

export type Resident = {
  readonly totalBytes: number;
  readonly anonymousBytes: number;
  readonly fileBytes: number;
  readonly sharedBytes: number;
};

/** Processor seconds of the process, and of the threads that are alive by what they are for. */
export type CpuUse = { readonly totalSeconds: number; readonly byRole: Readonly<Record<string, number>> };

/** A directory that outlives the appliances started on it. */
export function benchDirectory(): { readonly path: string; readonly remove: () => void } {
  const parents = [tmpdir(), "/var/tmp", process.cwd()];
  const parent = parents.find((each) => existsSync(each) && !MEMORY_FILE_SYSTEMS.has(statfsSync(each).type));
  if (parent === undefined) {
    throw new Error(`No directory on a disk to put the data into: ${parents.join(", ")} are in memory`);
  }
  const path = mkdtempSync(join(parent, "engram-bench-"));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  // Also when the bench fails, and after the appliance was ended, which was registered later.
  process.prependOnceListener("exit", remove);
  return { path, remove };
}

/** The command line that starts the program, and what it is in words. */
export function applianceCommand(binary: string | undefined): {
  readonly command: readonly string[];
  readonly text: string;
} {
  if (binary?.endsWith(".ts"))
    return { command: [process.execPath, binary], text: "Bun with the sources given" };
  if (binary !== undefined) return { command: [binary], text: "the executable given" };
  const built = join(ROOT, "dist/engram-appliance");
  if (existsSync(built) && statSync(built).mtimeMs > newestMs(join(ROOT, "src"))) {
    return { command: [built], text: "executable" };
  }
  return { command: [process.execPath, join(ROOT, "src/main.ts")], text: "Bun with src/main.ts" };
}

export class Appliance {
  readonly pid: number;
  readonly host = "127.0.0.1";
  readonly #process: Bun.Subprocess;
  readonly #output: { text: string };
  #port = 0;

  private constructor(child: Bun.Subprocess, output: { text: string }) {
    this.#process = child;
    this.#output = output;
    this.pid = child.pid;
  }

  /** Starts a process and answers at once; `port` is known only if it was given. */
  static spawn(options: {
    directory: string;
    command: readonly string[];
    settings?: BenchSettings | undefined;
    port?: number | undefined;
  }): Appliance {
    const { directory, command, settings = {}, port = 0 } = options;
    const environment: Record<string, string> = {
      PATH: process.env["PATH"] ?? "",
      HOME: process.env["HOME"] ?? "",
    };
    for (const [key, value] of Object.entries(settings)) {
      environment[`ENGRAM_${key.replaceAll(".", "__").toUpperCase()}`] = value;
    }
    const child = Bun.spawn(
      [...command, "serve", "--data", join(directory, "data"), "--port", String(port)],
      {
        cwd: directory,
        env: environment,
        stdin: "ignore",
        stdout: "ignore",
        stderr: "pipe",
      },
    );
    // A bench that fails leaves no appliance behind.
    process.prependOnceListener("exit", () => child.kill("SIGKILL"));
    const output = { text: "" };
    gather(child.stderr, output);
    const appliance = new Appliance(child, output);
    appliance.#port = port;
    return appliance;
  }

  /** Starts a process and waits until it serves. */
  static async start(options: Parameters<typeof Appliance.spawn>[0]): Promise<Appliance> {
    const appliance = Appliance.spawn(options);
    await appliance.untilServing();
    return appliance;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://${this.host}:${this.#port}`;
  }

  /** What it wrote to standard error. */
  get output(): string {
    return this.#output.text;
  }

  get hasExited(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  async untilServing(): Promise<void> {
    const deadline = performance.now() + READY_MS_MAX;
    for (;;) {
      const found = /serves http:\/\/[^\s]*:(\d+)/.exec(this.output);
      if (found !== null) {
        this.#port = Number(found[1]);
        return;
      }
      if (this.hasExited || performance.now() > deadline) {
        throw new Error(`The appliance did not start:\n${this.output}`);
      }
      await Bun.sleep(2);
    }
  }

  /** Stops it as an operator would. */
  async stop(): Promise<void> {
    this.#process.kill("SIGTERM");
    const killer = setTimeout(() => this.#process.kill("SIGKILL"), STOP_MS_MAX);
    await this.#process.exited;
    clearTimeout(killer);
    if (this.#process.signalCode === "SIGKILL") {
      throw new Error(`The appliance did not stop within ${STOP_MS_MAX / 1000} s:\n${this.output}`);
    }
  }

  /** Ends it as a power cut would, but for what the kernel still writes. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }

  cpu(): CpuUse {
    const stat = readFileSync(`/proc/${this.pid}/stat`, "utf8");
    // Fields are counted behind the name in parentheses, which may hold anything; utime and stime are 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const totalSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    const byRole: Record<string, number> = {};
    for (const task of readdirSync(`/proc/${this.pid}/task`)) {
      try {
        const name = readFileSync(`/proc/${this.pid}/task/${task}/comm`, "utf8").trim();
        const spent = readFileSync(`/proc/${this.pid}/task/${task}/schedstat`, "utf8").split(" ")[0];
        const role = /^(api|writer|indexer|collector|background)-\d+$/.exec(name)?.[1] ?? "runtime";
        byRole[role] = (byRole[role] ?? 0) + Number(spent) / 1e9;
      } catch {
        // The thread ended while it was looked at.
      }
    }
    return { totalSeconds, byRole };
  }

  resident(): Resident {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    const bytes = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? Number.NaN) * 1024;
    return {
      totalBytes: bytes("VmRSS"),
      anonymousBytes: bytes("RssAnon"),
      fileBytes: bytes("RssFile"),
      sharedBytes: bytes("RssShmem"),
    };
  }
}

/** What was spent between two readings. */
export function cpuBetween(before: CpuUse, after: CpuUse): CpuUse {
  const byRole: Record<string, number> = {};
  for (const [role, seconds] of Object.entries(after.byRole)) {
    byRole[role] = seconds - (before.byRole[role] ?? 0);
  }
  return { totalSeconds: after.totalSeconds - before.totalSeconds, byRole };
}

/** "api 61.2 us, writer 8.0 us": processor time an operation, by role. */
export function cpuText(spent: CpuUse, operations: number): string {
  return Object.entries(spent.byRole)
    .sort((a, b) => b[1] - a[1])
    .filter(([, seconds]) => seconds / spent.totalSeconds >= 0.005)
    .map(([role, seconds]) => `${role} ${((seconds / operations) * 1e6).toFixed(1)}`)
    .join(", ");
}

async function gather(stream: ReadableStream<Uint8Array>, output: { text: string }): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) output.text += decoder.decode(chunk, { stream: true });
}

function newestMs(directory: string): number {
  let newest = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}
