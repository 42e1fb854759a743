/**
 * The whole appliance as a process of its own, for tests that kill, stop, starve and restart it.
 *
 *   start ──ready──▶ serving ──kill (SIGKILL) | stop (SIGTERM) | it fails──▶ exited
 *
 * It serves on port 0 in a data directory that the test names, from the sources with the Bun that runs the tests;
 * ENGRAM_TEST_BINARY names a compiled executable to test instead. What it says on standard error is kept, for the
 * assertions and for whoever reads a failure. No process outlives its test: `await using` kills it, and so does the
 * end of the test run.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ApplianceClient } from "./appliance-client.ts";

export const LONG = process.env["ENGRAM_TEST_LONG"] === "1";

const ROOT = resolve(import.meta.dir, "../..");
const READY_MS_MAX = 60_000;
const READY_LINE = /^engram-appliance serves (http:\S+)$/m;

/** The command line that runs the appliance's program. */
export const PROGRAM: readonly string[] =
  process.env["ENGRAM_TEST_BINARY"] === undefined
    ? [process.execPath, join(ROOT, "src/main.ts")]
    : [resolve(process.env["ENGRAM_TEST_BINARY"])];

export type StartOptions = {
  /** the data directory; made where it is missing */
  readonly data: string;
  /** settings, as `{ "checkpoint.interval_s": 1 }` */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** a program that runs the appliance as its child or in its place, such as ["strace", "-D", "-f"] */
  readonly under?: readonly string[];
};

/** It ended before it served. */
export class StartRefused extends Error {
  override readonly name = "StartRefused";
  readonly exitCode: number;
  readonly stderr: string;

  constructor(exitCode: number, stderr: string) {
    super(`The appliance ended with ${exitCode} before it served:\n${stderr}`);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

const living = new Set<ApplianceProcess>();
process.on("exit", () => {
  for (const each of living) each.signal("SIGKILL");
});

export class ApplianceProcess {
  readonly data: string;
  /** resolves with the exit status; 128 + the signal's number where one ended it */
  readonly exited: Promise<number>;
  #child: Bun.Subprocess<"ignore", "ignore", "pipe">;
  #stderr = "";
  #url: string | undefined;
  #client: ApplianceClient | undefined;
  #changed = Promise.withResolvers<void>();

  private constructor(options: StartOptions) {
    this.data = options.data;
    const environment: Record<string, string> = {};
    for (const [name, value] of Object.entries(process.env)) {
      // Settings of whoever runs the tests are not those of the test.
      if (value !== undefined && !name.startsWith("ENGRAM_")) environment[name] = value;
    }
    for (const [path, value] of Object.entries(options.settings ?? {})) {
      environment[`ENGRAM_${path.toUpperCase().replaceAll(".", "__")}`] = String(value);
    }
    this.#child = Bun.spawn(
      [...(options.under ?? []), ...PROGRAM, "serve", "--data", options.data, "--port", "0"],
      {
        env: { ...environment, ...options.environment },
        stdin: "ignore",
        stdout: "ignore",
        stderr: "pipe",
        // A group of its own, so that a terminal's Ctrl-C reaches the test first.
        detached: true,
      },
    );
    living.add(this);
    const reading = this.#readStderr();
    this.exited = this.#child.exited.then(async (status) => {
      await reading;
      living.delete(this);
      this.#changed.resolve();
      return status;
    });
  }

  /** Starts it without waiting for anything, for tests that end it while it starts. */
  static spawn(options: StartOptions): ApplianceProcess {
    return new ApplianceProcess(options);
  }

  /** Starts it, and waits until it serves. @throws {StartRefused} when it ends before it does */
  static async start(options: StartOptions): Promise<ApplianceProcess> {
    const started = new ApplianceProcess(options);
    try {
      await started.serving();
      return started;
    } catch (error) {
      await started.kill();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The base address, once it serves. */
  get url(): string {
    if (this.#url === undefined) throw new Error(`The appliance does not serve yet:\n${this.#stderr}`);
    return this.#url;
  }

  get client(): ApplianceClient {
    this.#client ??= new ApplianceClient(this.url);
    return this.#client;
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits until it serves. @throws {StartRefused} */
  async serving(): Promise<void> {
    await this.says(READY_LINE);
    this.#url = READY_LINE.exec(this.#stderr)![1]!;
  }

  /** Waits until standard error holds `pattern`. @throws {StartRefused} when it ends first */
  async says(pattern: RegExp): Promise<void> {
    const deadlineMs = performance.now() + READY_MS_MAX;
    while (!pattern.test(this.#stderr)) {
      if (this.hasExited) {
        const status = await this.exited;
        if (pattern.test(this.#stderr)) return;
        throw new StartRefused(status, this.#stderr);
      }
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) throw new Error(`${pattern} was not said within ${READY_MS_MAX} ms:\n${this.#stderr}`);
      await Promise.race([this.#changed.promise, Bun.sleep(Math.min(leftMs, 100))]);
    }
  }

  signal(name: NodeJS.Signals): void {
    // A process that has ended may have given its number to another one.
    if (!this.hasExited) this.#child.kill(name);
  }

  /** SIGKILL, as kill -9 and the kernel's out-of-memory killer do. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exited;
  }

  /** SIGTERM. @returns the exit status */
  async stop(): Promise<number> {
    this.signal("SIGTERM");
    return this.exited;
  }

  /** Resident memory, in bytes, as the kernel counts it. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #readStderr(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#child.stderr) {
      this.#stderr += decoder.decode(bytes, { stream: true });
      this.#changed.resolve();
      this.#changed = Promise.withResolvers<void>();
    }
  }
}

/** A directory of a test's own, gone at the end of its block. */
export class ScratchDirectory {
  readonly path: string;

  constructor(purpose: string) {
    this.path = mkdtempSync(join(tmpdir(), `engram-${purpose}-`));
  }

  /** A data directory inside. */
  get data(): string {
    return join(this.path, "data");
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Polls a condition of another process, every `everyMs`. @throws when it does not hold within `withinMs` */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { withinMs = 30_000, everyMs = 20 } = {},
): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await Bun.sleep(everyMs);
  }
}
