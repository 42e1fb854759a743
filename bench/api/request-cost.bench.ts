/**
 * What does the API itself cost a request: HTTP, access, parsing, checking, printing, with an engine that does nothing?
 *
 * Sketch: Bun's own server answers a small POST in 11-12 µs of processor time, Elysia adds 4-5, our checks about 1;
 * parsing dominates where embeddings are JSON numbers (768 take 30-50 µs). So 18 µs for a text, 28 with 768 numbers in
 * base64, 50 as JSON, and in batches of 100 under 8 µs a memory in base64.
 *
 *   bun bench/api/request-cost.bench.ts [--small] [--seed N] [--json FILE]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Access } from "../../src/api/access.ts";
import { createApi } from "../../src/api/create-api.ts";
import { KeyRing } from "../../src/api/key-ring.ts";
import { apiSettings, serveApi } from "../../src/api/serve.ts";
import { systemClock } from "../../src/base/clock.ts";
import { machineText } from "../../src/base/machine-text.ts";
import { Random } from "../../src/base/random.ts";
import { settingsSchema } from "../../src/config/schema.ts";
import type { RecalledMemory, Remembered } from "../../src/engine/engine.ts";
import { failures, latencyText, postRequest, runLoad } from "../../src/operate/load/http-load.ts";
import { createKey } from "../../src/storage/key-store.ts";
import { NaiveConcepts } from "../../test/engine/consolidation/naive-concepts.ts";
import { NaiveEngine } from "../../test/engine/naive-engine.ts";
import { naiveThinker } from "../../test/engine/naive-thinker.ts";
import { localWatch } from "../../test/observe/local-watch.ts";

const DIMENSIONS = 768;
const CONNECTIONS = 16;
const STORED_AT_MS = 1_767_225_600_000;

/** Answers at once, as an engine that costs nothing would. */
class NoEngine extends NaiveEngine {
  static readonly #remembered: Remembered = {
    id: "0199a0c5-7d1e-7c30-9a54-5f0e3a1c2b7d",
    space: "default",
    ack: "fsync",
    storedAtMs: STORED_AT_MS,
    outcome: "stored",
    embedded: true,
  };
  static readonly #recalled: RecalledMemory[] = Array.from({ length: 10 }, (_, i) => ({
    id: `0199a0c5-7d1e-7c30-9a54-5f0e3a1c2b${i}d`,
    content: "Ada said that she would rather live near the sea. ".repeat(3),
    metadataJson: '{"source":"chat","turn":17}',
    tags: ["ada", "places"],
    timestampMs: STORED_AT_MS + i * 1000,
    storedAtMs: STORED_AT_MS,
    confidence: 0.7,
    kind: "memory",
    importance: 0.5,
    valence: 0,
    detailsJson: undefined,
    score: 0.812345678,
  }));

  override async remember(_space: string, inputs: readonly unknown[]) {
    return inputs.map(() => NoEngine.#remembered);
  }

  override async recall() {
    return { memories: NoEngine.#recalled, space: "default", mode: "hybrid" as const, tookMs: 0.4 };
  }
}

/** The server, in a process of its own; prints its port and key, then at each line of input the time it has used. */
async function serve(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), "engram-bench-"));
  const { key } = await createKey(
    dataDir,
    { name: "bench", rights: ["read", "write"], spaces: ["*"] },
    STORED_AT_MS,
  );
  const settings = apiSettings(settingsSchema.parse({ server: { port: 0 } }), 1);
  const errors = { operator: console.error, bug: console.error };
  const clock = systemClock;
  const access = new Access({
    ring: new KeyRing(dataDir, clock, errors),
    settings: settings.access,
    clock,
    sleep: Bun.sleep,
    loopbackOnly: true,
  });
  const engine = new NoEngine();
  const api = createApi({
    concepts: new NaiveConcepts(),
    engine,
    thought: naiveThinker(engine),
    limits: settings.limits,
    access,
    errors,
    version: "bench",
    watch: localWatch(),
    profile: { take: () => Promise.resolve("busy") },
    settings: { running: () => settingsSchema.parse({}), change: async () => undefined },
  });
  const { port } = serveApi({ api, settings, reusePort: false });
  console.log(JSON.stringify({ port, key }));
  for await (const _line of console) {
    const { user, system } = process.cpuUsage();
    console.log(JSON.stringify({ cpuMicros: user + system, rssBytes: process.memoryUsage.rss() }));
  }
  rmSync(dataDir, { recursive: true, force: true });
  process.exit(0);
}

async function measure(): Promise<void> {
  const isSmall = process.argv.includes("--small");
  const durationMs = isSmall ? 300 : 3000;
  const seed = Number(process.argv[process.argv.indexOf("--seed") + 1] || 1) || 1;
  const random = new Random(seed);
  const numbers = Array.from({ length: DIMENSIONS }, () => Math.round((random.float() - 0.5) * 1e7) / 1e7);
  const base64 = Buffer.from(new Float32Array(numbers).buffer).toString("base64");
  const memory = (embedding?: unknown) => ({
    content: "Ada said that she would rather live near the sea.",
    embedding,
    tags: ["ada", "places"],
    metadata: { source: "chat", turn: 17 },
  });
  const M = "/api/v1/memories";
  const cases: readonly [name: string, path: string, body: unknown, memories: number][] = [
    ["remember, a text", `${M}/remember`, memory(), 1],
    ["remember, 768 numbers in base64", `${M}/remember`, memory(base64), 1],
    ["remember, 768 numbers in JSON", `${M}/remember`, memory(numbers), 1],
    ["remember 100, base64", `${M}/remember/batch`, { memories: Array(100).fill(memory(base64)) }, 100],
    ["remember 100, JSON", `${M}/remember/batch`, { memories: Array(100).fill(memory(numbers)) }, 100],
    ["recall 10 by text", `${M}/recall`, { query: "where does Ada live" }, 1],
    ["recall 10, base64", `${M}/recall`, { embedding: base64 }, 1],
    ["recall 10, JSON", `${M}/recall`, { embedding: numbers }, 1],
  ];

  console.log(machineText());
  console.log(
    `seed ${seed}, ${CONNECTIONS} connections, ${durationMs} ms each, closed loop, one server thread\n`,
  );
  const child = Bun.spawn([process.execPath, import.meta.path, "--server"], {
    stdin: "pipe",
    stdout: "pipe",
  });
  const lines = linesOf(child.stdout);
  const { port, key } = JSON.parse((await lines.next()).value ?? "");
  const used = async (): Promise<{ cpuMicros: number; rssBytes: number }> => {
    child.stdin.write("\n");
    child.stdin.flush();
    return JSON.parse((await lines.next()).value ?? "");
  };
  for (const [name, path, body, memories] of cases) {
    const request = postRequest(path, JSON.stringify(body), { authorization: `Bearer ${key}` });
    const load = { host: "127.0.0.1", port, connections: CONNECTIONS, request: () => request };
    await runLoad({ ...load, durationMs: durationMs / 3 });
    const before = await used();
    const result = await runLoad({ ...load, durationMs });
    const after = await used();
    const cpuMicros = (after.cpuMicros - before.cpuMicros) / result.sent;
    const perMemory = memories > 1 ? `, ${(cpuMicros / memories).toFixed(1)} µs a memory` : "";
    if (failures(result) > 0) throw new Error(`${name}: ${failures(result)} requests failed`);
    console.log(
      `${name.padEnd(34)} ${cpuMicros.toFixed(1).padStart(8)} µs of processor time${perMemory}; ` +
        `${Math.round(result.perSecond)}/s; ${latencyText(result.latenciesMs)}; ${Math.round(after.rssBytes / 2 ** 20)} MiB`,
    );
  }
  child.stdin.end();
  await child.exited;
  console.log(`\nserver ended with ${child.exitCode}`);
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  return undefined;
}

await (process.argv.includes("--server") ? serve() : measure());
