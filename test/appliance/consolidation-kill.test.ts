/**
 * Kill -9 while memories are consolidated, over and over in one data directory: every concept is whole, whatever
 * step it was cut off at. ENGRAM_TEST_LONG=1 runs 50 kills.
 *
 * Right after the restart, before anything is consolidated again: each member of a concept is there, and belongs to
 * it alone; no concept has more members than it counts; and where it has as many, its coherence is that of these
 * members' embeddings, which the test knows. After one more run that holds for every concept.
 */
import { expect, test } from "bun:test";
import { entropySeed, Random } from "../../src/base/random.ts";
import { ApplianceProcess, eventually, LONG, ScratchDirectory } from "../support/appliance-process.ts";

const CYCLES = LONG ? 50 : 3;
const LOAD_MS_MAX = 800;
const DIMENSIONS = 24;
const TOPICS = 7;
const SPACE = "kill";
const HEADERS = { "content-type": "application/json", "x-memory-space": SPACE };
const BUSY = {
  "consolidation.delay_s": 0,
  "consolidation.rest_s": 0.1,
  "consolidation.batch": 16,
  "consolidation.pause_operations": 1_000_000,
  "checkpoint.interval_s": 1,
  "thread_pools.api_workers": 1,
};
const QUIET = { "consolidation.enabled": false, "thread_pools.api_workers": 1 };

// biome-ignore lint/suspicious/noExplicitAny: replies of every shape
type Json = any;

async function call(url: string, method: string, path: string, body?: unknown): Promise<Json> {
  const response = await fetch(url + path, {
    method,
    headers: HEADERS,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}

/** The embedding that belongs to an id, `TOPIC-NUMBER`: unit length, mostly along its topic. */
function embeddingOf(id: string): Float32Array {
  const [topic, number] = id.split("-").map(Number);
  const random = new Random(7919 * topic! + number!);
  const vector = Float32Array.from(
    { length: DIMENSIONS },
    (_, d) => (d === topic ? 1 : 0) + (0.4 * random.gaussian()) / Math.sqrt(DIMENSIONS),
  );
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function coherenceOf(ids: readonly string[]): number {
  const sum = new Float64Array(DIMENSIONS);
  for (const id of ids) for (const [d, value] of embeddingOf(id).entries()) sum[d]! += value;
  return Math.hypot(...sum) / ids.length;
}

/** Remembers and forgets until the connection is cut. @returns how many calls were answered */
async function load(url: string, random: Random, ids: string[], cycle: number): Promise<number> {
  let answered = 0;
  try {
    for (let turn = 0; ; turn++) {
      const fresh = Array.from({ length: 1 + random.below(12) }, (_, i) => {
        const id = `${random.below(TOPICS)}-${cycle * 1_000_000 + turn * 100 + i}`;
        return {
          id,
          content: `Day ${turn} with topic ${id.split("-")[0]}.`,
          embedding: [...embeddingOf(id)],
        };
      });
      await call(url, "POST", "/api/v1/memories/remember/batch", { memories: fresh, ack: "memory" });
      ids.push(...fresh.map(({ id }) => id));
      answered += 1;
      if (turn % 3 === 0 && ids.length > 20) {
        const [gone] = ids.splice(random.below(ids.length), 1);
        await call(url, "DELETE", `/api/v1/memories/${gone}?ack=memory`);
        answered += 1;
      }
    }
  } catch {
    return answered;
  }
}

async function allMemories(url: string): Promise<Set<string>> {
  const found = new Set<string>();
  for (let cursor = ""; ; ) {
    const page = await call(url, "GET", `/api/v1/memories?limit=1000${cursor}`);
    for (const { id } of page.memories) found.add(id);
    if (page.next_cursor === null) return found;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

/** What is wrong with the concepts. @param isSettled whether every concept must count exactly what it has */
async function faultsOf(
  url: string,
  isSettled: boolean,
): Promise<{ faults: string[]; conceptCount: number }> {
  const memories = await allMemories(url);
  const { concepts } = await call(url, "GET", "/api/v1/concepts?limit=1000&members=512");
  const faults: string[] = [];
  const conceptOf = new Map<string, string>();
  for (const concept of concepts as Json[]) {
    const members = concept.members.map(({ id }: Json) => id) as string[];
    for (const id of members) {
      if (!memories.has(id)) faults.push(`${concept.id} cites ${id}, which is not there`);
      if (conceptOf.has(id)) faults.push(`${id} belongs to ${concept.id} and to ${conceptOf.get(id)}`);
      conceptOf.set(id, concept.id);
    }
    const missing = concept.member_count - members.length;
    if (missing < 0 || (isSettled && missing > 0))
      faults.push(`${concept.id} counts ${concept.member_count} members and has ${members.length}`);
    const difference = Math.abs(coherenceOf(members) - concept.coherence);
    if (missing === 0 && difference > 1e-4) faults.push(`${concept.id} is off its members by ${difference}`);
  }
  return { faults, conceptCount: concepts.length };
}

test(
  `concepts are whole after each of ${CYCLES} kills while memories are consolidated`,
  async () => {
    using directory = new ScratchDirectory("consolidation-kill");
    const seed = Number(process.env["ENGRAM_TEST_SEED"] ?? entropySeed());
    const random = new Random(seed);
    console.log(`seed ${seed}, ${CYCLES} kills`);
    const ids: string[] = [];
    let runs = 0;
    let concepts = 0;
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const where = `seed ${seed}, kill ${cycle}`;
      {
        await using appliance = await ApplianceProcess.start({ data: directory.data, settings: BUSY });
        if (cycle === 0) {
          const space = { name: SPACE, dimensions: DIMENSIONS, embedder: "none" };
          await call(appliance.url, "POST", "/api/v1/spaces", space);
        }
        const loading = load(appliance.url, random, ids, cycle);
        const runsOf = async (): Promise<number> =>
          (await call(appliance.url, "GET", "/api/v1/consolidations?limit=128")).consolidations.length;
        await eventually("a cycle has changed something", async () => (await runsOf()) > 0);
        await Bun.sleep(random.below(LOAD_MS_MAX));
        // One more, so that there is something to be cut off.
        await call(appliance.url, "POST", "/api/v1/consolidate", {});
        await Bun.sleep(random.below(150));
        runs += await runsOf();
        await appliance.kill();
        expect(await loading, where).toBeGreaterThan(0);
      }
      await using recovered = await ApplianceProcess.start({ data: directory.data, settings: QUIET });
      const raw = await faultsOf(recovered.url, false);
      expect(raw.faults, where).toEqual([]);
      const run = await call(recovered.url, "POST", "/api/v1/consolidate", {
        wait_ms: 30_000,
        max_cycles: 1024,
      });
      expect(run, where).toMatchObject({ state: "done", unconsolidated: 0 });
      const settled = await faultsOf(recovered.url, true);
      expect(settled.faults, where).toEqual([]);
      concepts = settled.conceptCount;
      await recovered.kill();
    }
    console.log(`${runs} runs changed something before they were cut off; ${concepts} concepts in the end`);
    expect(runs).toBeGreaterThan(0);
    expect(concepts).toBeGreaterThan(0);
  },
  LONG ? 3_600_000 : 180_000,
);
