/**
 * A data directory that was damaged while nobody ran: bits flipped, files cut, files gone. The appliance starts with
 * everything that was acknowledged, or refuses and names the file and what helps. It never serves something else.
 *
 * Short, a sample is tried. ENGRAM_TEST_LONG=1 tries every byte of the small files and hundreds of the others; every
 * bit of every file is tried below the whole binary, in `test/storage/`, where a trial takes a thousandth of the time.
 */
import { expect, test } from "bun:test";
import { closeSync, openSync, readdirSync, readFileSync, rmSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { entropySeed, Random } from "../../src/base/random.ts";
import { type ApplianceClient, answered } from "../support/appliance-client.ts";
import {
  ApplianceProcess,
  eventually,
  LONG,
  ScratchDirectory,
  StartRefused,
} from "../support/appliance-process.ts";
import { asInput, differenceOf, type Made, makeMemory } from "./made-memory.ts";

/** Bytes tried in each file. */
const POSITIONS = LONG ? 600 : 4;
/** Damages tried of each directory, short. */
const DAMAGES = 8;
/** Appliances at once: each waits for its threads most of the time it starts. */
const TRIALS_AT_ONCE = 3;
const DIMENSIONS = 4;
const SETTINGS = { "wal.segment_size_mb": 8, "thread_pools.api_workers": 1, "checkpoint.interval_s": 3600 };
/** Exit statuses of operator errors that a damaged directory may end with. */
const REFUSALS = [73, 74, 78];

/** Stores a little of everything. @returns what has to be there, by space, in the order of storing */
async function fill(client: ApplianceClient): Promise<Map<string, Made[]>> {
  const expected = new Map<string, Made[]>();
  for (const space of ["left", "right"]) {
    answered(await client.createSpace({ name: space, dimensions: DIMENSIONS, embedder: "none" }));
    const there: Made[] = [];
    // Versions that make short contents, so that every byte can be tried.
    for (let version = 1; there.length < 4; version++) {
      const made = makeMemory(space, `m${version}`, version, DIMENSIONS);
      if (made.content.length > 250) continue;
      answered(await client.remember(asInput(made), space));
      there.push(made);
    }
    answered(await client.forget(there[1]!.id, "fsync", space));
    there.splice(1, 1);
    expected.set(space, there);
  }
  return expected;
}

/** What is different from what has to be there. @param prefix whether the last ones may be missing */
async function wrongIn(
  client: ApplianceClient,
  expected: ReadonlyMap<string, readonly Made[]>,
  prefix: boolean,
): Promise<string | undefined> {
  const spaces = (await client.spaces()).map(({ name }) => name);
  for (const [space, there] of expected) {
    if (!spaces.includes(space)) {
      if (prefix) continue;
      return `space ${space} is missing`;
    }
    const listed = await client.listAll(space);
    if (!prefix && listed.length !== there.length)
      return `${space} lists ${listed.length} of ${there.length}`;
    for (const memory of listed) {
      const made = there.find(({ id }) => id === memory.id);
      if (made === undefined) {
        // A cut before the record that forgot it.
        if (prefix) continue;
        return `${space} lists ${memory.id}, which was forgotten`;
      }
      const difference = differenceOf(made, memory);
      if (difference !== undefined) return `${space}: ${difference}`;
      const byWord = answered(await client.recall({ query: made.word, mode: "words" }, space));
      if (byWord.memories.length !== 1 || byWord.memories[0]!.id !== made.id)
        return `${space}: the word of ${made.id} finds ${byWord.memories.map(({ id }) => id).join()}`;
      const byVector = answered(
        await client.recall({ embedding: made.embedding, mode: "vector", limit: 1 }, space),
      );
      const [first] = byVector.memories;
      if (first?.id !== made.id || Math.abs(first.score - 1) > 1e-4)
        return `${space}: the vector of ${made.id} finds ${first?.id} (${first?.score})`;
    }
  }
  return undefined;
}

/** One way to damage a directory. */
type Damage = { readonly what: string; readonly file: string; readonly apply: (path: string) => void };

/** Damages a copy, starts on it, and judges. @returns what is wrong, or how it ended */
async function judge(
  original: string,
  damage: Damage,
  expected: ReadonlyMap<string, readonly Made[]>,
): Promise<{ readonly outcome: "served" | "torn" | "refused"; readonly wrong: string | undefined }> {
  using copy = new ScratchDirectory("damaged");
  Bun.spawnSync(["cp", "-r", "--sparse=always", original, copy.data]);
  damage.apply(join(copy.data, damage.file));
  try {
    await using appliance = await ApplianceProcess.start({ data: copy.data, settings: SETTINGS });
    // A tail that was cut off is reported; without the report, everything has to be there.
    const torn = /torn group/.test(appliance.stderr);
    const wrong = await wrongIn(appliance.client, expected, torn);
    return {
      outcome: torn ? "torn" : "served",
      wrong: wrong === undefined ? undefined : `${damage.what}: ${wrong}`,
    };
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error;
    const said = error.stderr.trim().split("\n");
    const named = said.some((line) => line.includes(damage.file.split("/").at(-1)!));
    const refused =
      REFUSALS.includes(error.exitCode) &&
      named &&
      /What helps: \S/.test(error.stderr) &&
      /Code: \S/.test(error.stderr);
    return {
      outcome: "refused",
      wrong: refused ? undefined : `${damage.what}: ${error.exitCode}: ${error.stderr}`,
    };
  }
}

async function judgeAll(
  original: string,
  damages: readonly Damage[],
  expected: ReadonlyMap<string, readonly Made[]>,
): Promise<{ outcomes: Record<string, number>; wrong: string[] }> {
  const outcomes: Record<string, number> = {};
  const wrong: string[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < damages.length) {
      const verdict = await judge(original, damages[next++]!, expected);
      outcomes[verdict.outcome] = (outcomes[verdict.outcome] ?? 0) + 1;
      if (verdict.wrong !== undefined) wrong.push(verdict.wrong);
    }
  };
  await Promise.all(Array.from({ length: TRIALS_AT_ONCE }, work));
  return { outcomes, wrong };
}

/** Flips, cuts and removals of every file in use. */
function damagesOf(directory: string, random: Random): Damage[] {
  const damages: Damage[] = [];
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name).slice(directory.length + 1);
    // The lock's content is for people; a spare segment holds nothing yet.
    if (entry.name === "lock" || entry.name === "spare") continue;
    const bytes = readFileSync(join(directory, file));
    const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
    const positions =
      used <= POSITIONS
        ? Array.from({ length: used }, (_, at) => at)
        : Array.from({ length: POSITIONS }, () => random.below(used));
    for (const at of positions) {
      const bit = 1 << random.below(8);
      damages.push({
        what: `bit ${bit} of byte ${at} of ${file} flipped`,
        file,
        apply: (path) => flip(path, at, bit),
      });
    }
    const cuts = LONG ? [0, used >> 1, used - 1, bytes.length - 1] : [random.below(bytes.length)];
    for (const length of cuts) {
      if (length < 0 || length >= bytes.length) continue;
      damages.push({ what: `${file} cut to ${length}`, file, apply: (path) => truncateSync(path, length) });
    }
    damages.push({ what: `${file} removed`, file, apply: (path) => rmSync(path) });
  }
  if (LONG) return damages;
  return Array.from({ length: DAMAGES }, () => damages.splice(random.below(damages.length), 1)[0]!);
}

function flip(path: string, at: number, bit: number): void {
  const byte = readFileSync(path)[at]! ^ bit;
  const file = openSync(path, "r+");
  writeSync(file, new Uint8Array([byte]), 0, 1, at);
  closeSync(file);
}

for (const end of ["stopped", "killed"] as const) {
  test(
    `a directory that was ${end} and then damaged is served whole, or refused with the file and what helps`,
    async () => {
      using directory = new ScratchDirectory("damage");
      const seed = Number(process.env["ENGRAM_TEST_SEED"] ?? entropySeed() >>> 0);
      const start = { data: directory.data, settings: SETTINGS };
      let expected: Map<string, Made[]>;
      {
        await using appliance = await ApplianceProcess.start(start);
        expected = await fill(appliance.client);
        if (end === "stopped") expect(await appliance.stop()).toBe(0);
        // The writer marks the end of the log when it is idle.
        else await Bun.sleep(200);
      }
      const damages = damagesOf(directory.data, new Random(seed));
      const { outcomes, wrong } = await judgeAll(directory.data, damages, expected);
      console.log(`seed ${seed}, ${end}: ${damages.length} damages, ${JSON.stringify(outcomes)}`);
      expect(wrong.slice(0, 5), `seed ${seed}`).toEqual([]);
      // Stopped cleanly, nothing can be torn: what is missing was durable.
      if (end === "stopped") expect(outcomes["torn"] ?? 0).toBe(0);
      expect(outcomes["refused"] ?? 0).toBeGreaterThan(0);
    },
    LONG ? 36_000_000 : 120_000,
  );
}

test("a missing segment of the log is refused by name, whichever it is", async () => {
  using directory = new ScratchDirectory("segments");
  const start = { data: directory.data, settings: SETTINGS };
  {
    await using appliance = await ApplianceProcess.start(start);
    for (let i = 0; i < 90; i++) {
      answered(await appliance.client.remember({ content: `${i} ${"and on ".repeat(32_000)}`, ack: "wal" }));
    }
    await appliance.kill();
  }
  // Slow operations are kept in files of that ending, too, and are nobody's memories.
  const log = readdirSync(directory.data, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".log") && !name.startsWith("slow-operations"),
  );
  expect(log.length).toBeGreaterThan(2);
  for (const segment of [log[0]!, log[1]!, log.at(-1)!]) {
    const damage = { what: `${segment} removed`, file: segment, apply: (path: string) => rmSync(path) };
    const verdict = await judge(directory.data, damage, new Map());
    expect(verdict, segment).toEqual({ outcome: "refused", wrong: undefined });
  }
}, 60_000);

test("a damaged graph is built anew, and nothing else is lost", async () => {
  using directory = new ScratchDirectory("graph");
  const start = { data: directory.data, settings: SETTINGS };
  const count = 1200;
  const random = new Random(20260403);
  const memories = Array.from({ length: count }, (_, i) => ({
    id: `v${i}`,
    content: `n${i}`,
    embedding: Float32Array.from({ length: 8 }, () => random.gaussian()),
  }));
  const isIndexed = async (client: ApplianceClient) => answered(await client.space("graph")).tail === 0;
  {
    await using appliance = await ApplianceProcess.start(start);
    const { client } = appliance;
    answered(await client.createSpace({ name: "graph", dimensions: 8, embedder: "none" }));
    for (let at = 0; at < count; at += 600)
      answered(await client.rememberBatch(memories.slice(at, at + 600), {}, "graph"));
    await eventually("every vector is in the graph", () => isIndexed(client));
    expect(await appliance.stop()).toBe(0);
  }
  const files = readdirSync(directory.data, { recursive: true, encoding: "utf8" });
  const graph = files.find((name) => /graph/.test(name));
  expect(graph, files.join()).toBeDefined();
  flip(join(directory.data, graph!), 5000, 16);
  await using appliance = await ApplianceProcess.start(start);
  expect(appliance.stderr).toContain("the graph of space graph was damaged; it is built anew");
  const { client } = appliance;
  for (const { id, embedding } of memories.slice(0, 50)) {
    const { memories: found } = answered(
      await client.recall({ embedding, mode: "vector", limit: 1 }, "graph"),
    );
    expect(found[0]!.id).toBe(id);
  }
  await eventually("the graph is built anew", () => isIndexed(client));
  expect(await appliance.stop()).toBe(0);
}, 60_000);

test("a second process on the same directory is refused with the number of the first", async () => {
  using directory = new ScratchDirectory("second");
  await using first = await ApplianceProcess.start({ data: directory.data, settings: SETTINGS });
  answered(await first.client.remember({ id: "a", content: "first" }));
  const second = await ApplianceProcess.start({ data: directory.data, settings: SETTINGS }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(second).toBeInstanceOf(StartRefused);
  expect((second as StartRefused).exitCode).toBe(75);
  expect((second as StartRefused).stderr).toContain(`process ${first.pid} uses it`);
  expect((second as StartRefused).stderr).toContain("Code: data-directory-locked");
  expect(answered(await first.client.get("a")).content).toBe("first");
}, 30_000);
