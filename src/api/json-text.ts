/**
 * Writes replies as JSON text.
 *
 * Metadata is stored as JSON text and goes out as it is; texts go through JSON.stringify, which quotes them natively;
 * the rest is concatenation. A reply of ten memories takes a third of what building objects for JSON.stringify takes,
 * because the metadata is not parsed to be printed again.
 */
import { assert } from "../base/assert.ts";
import type { Forgotten, IndexInfo, Memory, Recalled, Remembered, SpaceInfo } from "../engine/engine.ts";
import { timeText } from "./time-text.ts";

const JSON_HEADERS = { "content-type": "application/json" } as const;
const OK = { status: 200, headers: JSON_HEADERS } as const;
const CREATED = { status: 201, headers: JSON_HEADERS } as const;

/** An answer whose body is JSON text already. */
export function jsonResponse(text: string, status = 200): Response {
  if (status === 200) return new Response(text, OK);
  if (status === 201) return new Response(text, CREATED);
  return new Response(text, { status, headers: JSON_HEADERS });
}

/** The fields of a remembered memory, without the braces. */
export function rememberedFields(remembered: Remembered): string {
  return `"id":${JSON.stringify(remembered.id)},"space":"${remembered.space}","ack":"${remembered.ack}","stored_at":"${timeText(remembered.storedAtMs)}","outcome":"${remembered.outcome}","embedded":${remembered.embedded}`;
}

export function forgottenText(forgotten: Forgotten): string {
  return `{"id":${JSON.stringify(forgotten.id)},"space":"${forgotten.space}","ack":"${forgotten.ack}","forgotten":${forgotten.forgotten}}`;
}

export function memoryText(memory: Memory): string {
  return `{${memoryFields(memory)}}`;
}

export function recalledText(recalled: Recalled): string {
  let memories = "";
  for (const memory of recalled.memories) {
    const why = memory.why === undefined ? "" : `,"why":${JSON.stringify(whyJson(memory.why))}`;
    if (memories !== "") memories += ",";
    memories += `{${memoryFields(memory)},"score":${numberText(memory.score)}${why}}`;
  }
  const degraded = recalled.degraded === undefined ? "" : `,"degraded":${JSON.stringify(recalled.degraded)}`;
  return `{"memories":[${memories}],"space":"${recalled.space}","mode":"${recalled.mode}","took_ms":${Math.round(recalled.tookMs * 1000) / 1000}${degraded}}`;
}

export function spaceJson(space: SpaceInfo) {
  return {
    name: space.name,
    dimensions: space.dimensions,
    embedder: space.embedder,
    language: space.language,
    quantization: space.quantization,
    node: space.node,
    memories: space.memories,
    forgotten: space.forgotten,
    indexed: space.indexed,
    tail: space.tail,
    pending_embedding: space.pendingEmbedding,
    terms: space.terms,
    memory_bytes: space.memoryBytes,
    created_at: timeText(space.createdAtMs),
    forgetting: { curve: space.forgetting.curve, stability_hours: space.forgetting.stabilityHours },
  };
}

export function indexJson(index: IndexInfo) {
  return {
    space: index.space,
    M: index.M,
    ef_construction: index.efConstruction,
    ef_search: index.efSearch,
    quantization: index.quantization,
    indexed: index.indexed,
    tail: index.tail,
    bytes: index.bytes,
    rebuild:
      index.rebuild === undefined
        ? undefined
        : {
            done: index.rebuild.done,
            total: index.rebuild.total,
            M: index.rebuild.M,
            ef_construction: index.rebuild.efConstruction,
          },
  };
}

function memoryFields(memory: Memory): string {
  const tags = memory.tags.length === 0 ? "[]" : JSON.stringify(memory.tags);
  return `"id":${JSON.stringify(memory.id)},"content":${JSON.stringify(memory.content)},"metadata":${memory.metadataJson ?? "{}"},"tags":${tags},"timestamp":"${timeText(memory.timestampMs)}","stored_at":"${timeText(memory.storedAtMs)}","confidence":${numberText(memory.confidence)}`;
}

/** Six decimals: confidences are f32 inside, and 0.7 should not come back as 0.699999988079071. */
function numberText(value: number): string {
  const rounded = Math.round(value * 1e6) / 1e6;
  assert(Number.isFinite(rounded), "scores and confidences are finite");
  return String(rounded);
}

function whyJson(why: NonNullable<Recalled["memories"][number]["why"]>) {
  return {
    vector: why.vector,
    words: why.words,
    fusion:
      why.fusion === undefined
        ? undefined
        : {
            vector_weight: why.fusion.vectorWeight,
            words_weight: why.fusion.wordsWeight,
            time_weight: why.fusion.timeWeight,
          },
  };
}
