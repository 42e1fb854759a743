/** The built executable as tests run it: in a directory of its own, on a port of its own. */
import { buildExecutable } from "../../src/build/build.ts";

/** The path of the executable, built when it is stale (some tens of milliseconds when it is not). */
export const EXECUTABLE = await buildExecutable((line) => console.error(line));

export type Served = {
  /** the base address of its API */
  readonly url: string;
  readonly processId: number;
  /** everything it wrote to standard error so far */
  log(): string;
  /** sends a signal and answers the exit status, or 128 and the signal's number */
  stop(signal?: NodeJS.Signals): Promise<number>;
};

/**
 * Starts a command that ends in `serve` and waits until it prints its address.
 *
 * @param words the whole command line; `serve --port 0` takes any free port
 */
export async function serveWith(
  words: readonly string[],
  options: { readonly environment?: Record<string, string>; readonly waitMs?: number } = {},
): Promise<Served> {
  const child = Bun.spawn([...words], {
    stdout: "ignore",
    stderr: "pipe",
    // Settings and tools of the machine stay out of the test.
    env: { PATH: process.env["PATH"] ?? "", ENGRAM_CONFIG: "", ...options.environment },
  });
  let log = "";
  const address = Promise.withResolvers<string>();
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr) {
      log += decoder.decode(chunk, { stream: true });
      const url = /^engram-appliance serves (http:\S+)$/m.exec(log)?.[1];
      if (url !== undefined) address.resolve(url);
    }
    address.reject(new Error(`it ended before it served:\n${log}`));
  })();
  const timer = setTimeout(
    () => address.reject(new Error(`it did not serve in time:\n${log}`)),
    options.waitMs ?? 30_000,
  );
  try {
    const url = await address.promise;
    return {
      url,
      processId: child.pid,
      log: () => log,
      async stop(signal = "SIGTERM") {
        child.kill(signal);
        const status = await child.exited;
        await reading.catch(() => {});
        return status;
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    await child.exited;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
