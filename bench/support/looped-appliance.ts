/**
 * An appliance that is started again whenever it ends, as systemd would, with its settings in a file: for what has to
 * restart it. `restartCommand` is what an operator would type.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const READY_MS_MAX = 120_000;

export class LoopedAppliance {
  readonly url: string;
  readonly configFile: string;
  readonly restartCommand: string;
  readonly #directory: string;
  readonly #loop: Bun.Subprocess;

  private constructor(directory: string, port: number, loop: Bun.Subprocess) {
    this.#directory = directory;
    this.#loop = loop;
    this.url = `http://127.0.0.1:${port}`;
    this.configFile = join(directory, "config.toml");
    this.restartCommand = `kill -TERM $(cat ${join(directory, "pid")})`;
    process.prependOnceListener("exit", () => this.#end("SIGKILL"));
  }

  /** @param settings by dotted path */
  static async start(options: {
    readonly directory: string;
    readonly command: readonly string[];
    readonly settings: Readonly<Record<string, string | number | boolean>>;
  }): Promise<LoopedAppliance> {
    const { directory, command } = options;
    const port = freePort();
    const settings = { "server.port": port, "data.dir": join(directory, "data"), ...options.settings };
    const sections = new Map<string, string[]>();
    for (const [path, value] of Object.entries(settings)) {
      const at = path.lastIndexOf(".");
      const lines = sections.get(path.slice(0, at)) ?? [];
      sections.set(path.slice(0, at), [...lines, `${path.slice(at + 1)} = ${JSON.stringify(value)}`]);
    }
    const text = [...sections].map(([name, lines]) => `[${name}]\n${lines.join("\n")}\n`).join("\n");
    writeFileSync(join(directory, "config.toml"), text);
    const script = `while [ ! -e stop ]; do "$@" serve --config config.toml 2>>log & echo $! >pid; wait $!; done`;
    const loop = Bun.spawn(["sh", "-c", script, "sh", ...command], {
      cwd: directory,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    const appliance = new LoopedAppliance(directory, port, loop);
    const deadlineMs = performance.now() + READY_MS_MAX;
    for (;;) {
      const reply = await fetch(`${appliance.url}/readyz`).catch(() => undefined);
      if (reply?.ok === true) return appliance;
      if (performance.now() > deadlineMs) throw new Error(`It did not start:\n${appliance.log()}`);
      await Bun.sleep(100);
    }
  }

  log(): string {
    const file = join(this.#directory, "log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  async stop(): Promise<void> {
    this.#end("SIGTERM");
    await this.#loop.exited;
  }

  #end(signal: NodeJS.Signals): void {
    const file = join(this.#directory, "pid");
    if (this.#loop.exitCode !== null || !existsSync(file)) return;
    writeFileSync(join(this.#directory, "stop"), "");
    try {
      process.kill(Number(readFileSync(file, "utf8")), signal);
    } catch {
      // It ended by itself.
    }
  }
}

function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = server;
  server.stop(true);
  return port;
}
