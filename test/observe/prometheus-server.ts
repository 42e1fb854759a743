/** A real Prometheus on a loopback port, over samples of ours. Debian's package `prometheus` brings it and promtool. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type PrometheusServer = {
  readonly url: string;
  readonly stop: () => Promise<void>;
};

/** Why there is no Prometheus to compare with; undefined where there is one. */
export function whyNoPrometheus(): string | undefined {
  const missing = ["prometheus", "promtool"].filter((program) => Bun.which(program) === null);
  return missing.length === 0
    ? undefined
    : `${missing.join(" and ")} not installed (apt-get install prometheus)`;
}

export async function startPrometheus(openMetrics: string): Promise<PrometheusServer> {
  const directory = mkdtempSync(join(tmpdir(), "engram-prometheus-"));
  writeFileSync(join(directory, "samples.txt"), openMetrics);
  writeFileSync(join(directory, "prometheus.yml"), "global: {}\n");
  const blocks = Bun.spawnSync([
    "promtool",
    "tsdb",
    "create-blocks-from",
    "openmetrics",
    join(directory, "samples.txt"),
    join(directory, "data"),
  ]);
  if (blocks.exitCode !== 0) throw new Error(`promtool: ${blocks.stderr.toString()}`);
  const port = await freePort();
  const server = Bun.spawn(
    [
      "prometheus",
      `--config.file=${join(directory, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      "--storage.tsdb.retention.time=100y",
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error",
    ],
    { stdout: "ignore", stderr: "ignore" },
  );
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    server.kill();
    await server.exited;
    rmSync(directory, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 200; tries++) {
    const ready = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (ready?.ok) return { url, stop };
    await Bun.sleep(50);
  }
  await stop();
  throw new Error("Prometheus does not become ready");
}

async function freePort(): Promise<number> {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  await server.stop(true);
  return port!;
}
