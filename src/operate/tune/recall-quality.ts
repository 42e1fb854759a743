/**
 * recall@10 of a running appliance as it is set: how many of the ten nearest vectors a search returns, against exact
 * search, over vectors in a few wide clusters, among which the nearest are hard to tell apart: ef 8 finds half of them,
 * ef 16 nine tenths, ef 64 all. In a space of its own, which is deleted at the end.
 */
import { Random } from "../../base/random.ts";
import type { ApplianceCalls } from "../bench/run-workload.ts";

const MEMORIES = 4000;
const CENTRES = 20;
const SPREAD = 1.5;
const QUERIES = 60;
const NEAREST = 10;
const BATCH = 500;
const INDEX_WAIT_MS_MAX = 120_000;

export async function measureRecall(options: {
  readonly calls: ApplianceCalls;
  readonly space: string;
  readonly seed: number;
  readonly isCancelled: () => boolean;
  readonly pause: (ms: number) => Promise<unknown>;
}): Promise<number> {
  const { calls, space, seed, pause, isCancelled } = options;
  // As long as embeddings are here: an appliance that makes them itself takes no others.
  const { dimensions } = (await calls.call("POST", "/api/v1/spaces", { name: space })) as {
    readonly dimensions: number;
  };
  const random = new Random(seed);
  const centres = Array.from({ length: CENTRES }, () => unit(gaussian(random, dimensions)));
  const near = (): Float32Array => {
    const centre = centres[random.below(CENTRES)]!;
    const noise = gaussian(random, dimensions);
    return unit(centre.map((value, at) => value + (SPREAD / Math.sqrt(dimensions)) * noise[at]!));
  };
  const vectors = Array.from({ length: MEMORIES }, near);
  const queries = Array.from({ length: QUERIES }, near);
  try {
    for (let from = 0; from < MEMORIES && !isCancelled(); from += BATCH) {
      const memories = vectors.slice(from, from + BATCH).map((vector, at) => ({
        id: `m${from + at}`,
        content: "sample",
        embedding: base64(vector),
      }));
      await calls.call("POST", "/api/v1/memories/remember/batch", { ack: "wal", memories }, space);
    }
    const deadlineMs = performance.now() + INDEX_WAIT_MS_MAX;
    while (!isCancelled() && performance.now() < deadlineMs) {
      const { tail } = (await calls.call("GET", `/api/v1/spaces/${space}`)) as { tail: number };
      if (tail === 0) break;
      await pause(100);
    }
    let hits = 0;
    for (const query of queries) {
      if (isCancelled()) break;
      const body = { embedding: base64(query), mode: "vector", limit: NEAREST };
      const { memories } = (await calls.call("POST", "/api/v1/memories/recall", body, space)) as {
        readonly memories: readonly { readonly id: string }[];
      };
      const returned = new Set(memories.map(({ id }) => id));
      hits += exact(vectors, query).filter((at) => returned.has(`m${at}`)).length;
    }
    return hits / (QUERIES * NEAREST);
  } finally {
    await calls.call("DELETE", `/api/v1/spaces/${space}`);
  }
}

/** The places of the nearest vectors. */
function exact(vectors: readonly Float32Array[], query: Float32Array): number[] {
  const scored = vectors.map((vector, at) => {
    let product = 0;
    for (let i = 0; i < query.length; i++) product += vector[i]! * query[i]!;
    return { at, product };
  });
  return scored
    .sort((a, b) => b.product - a.product)
    .slice(0, NEAREST)
    .map(({ at }) => at);
}

function gaussian(random: Random, length: number): Float32Array {
  return Float32Array.from({ length }, () => random.gaussian());
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / length);
}

function base64(vector: Float32Array): string {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength).toBase64();
}
