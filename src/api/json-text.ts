/**
 * Writes replies as JSON text.
 *
 * Metadata is stored as JSON text and goes out as it is; texts go through JSON.stringify, which quotes them natively;
 * the rest is concatenation. A reply of ten memories takes a third of what building objects for JSON.stringify takes,
 * because the metadata is not parsed to be printed again.
 */
import { assert } from "../base/assert.ts";
import type { Concept } from "../engine/consolidation/concept-desk.ts";
import type {
  Forgotten,
  IndexInfo,
  MeaningInfo,
  Memory,
  Recalled,
  RecallWhy,
  Remembered,
  SpaceInfo,
} from "../engine/engine.ts";
import type { BindingSeen, FadingPage, Link, Reinforced } from "../engine/mind-engine.ts";
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

export function linkJson(link: Link) {
  return {
    source: link.source,
    destination: link.destination,
    kind: link.kind,
    space: link.space,
    ack: link.ack,
    strength: rounded(link.strength),
    use_count: link.useCount,
    created: link.isNew,
  };
}

export function bindingJson(binding: BindingSeen) {
  return {
    kind: binding.kind,
    id: binding.id,
    direction: binding.direction,
    strength: rounded(binding.strength),
    use_count: binding.useCount,
    last_used: binding.lastUsedMs === undefined ? null : timeText(binding.lastUsedMs),
  };
}

export function reinforcedJson(reinforced: Reinforced) {
  return {
    id: reinforced.id,
    space: reinforced.space,
    ack: reinforced.ack,
    use_count: reinforced.useCount,
    stability_hours: rounded(reinforced.stabilityHours),
    importance: rounded(reinforced.importance),
    last_used: timeText(reinforced.lastUsedMs),
  };
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
  const activation = `${conceptsText(recalled)}${activationText(recalled.activation)}`;
  return `{"memories":[${memories}],"space":"${recalled.space}","mode":"${recalled.mode}","took_ms":${Math.round(recalled.tookMs * 1000) / 1000}${activation}${asOfText(recalled.asOf)}${degraded}}`;
}

/** Concepts beside the memories, and the blend of the two stores. */
function conceptsText({ concepts, memorySystems }: Recalled): string {
  let text = "";
  if (concepts !== undefined) {
    const each = concepts.map(
      ({ concept, score }) => `{${knownFields(concept)},"score":${numberText(score)}}`,
    );
    text += `,"concepts":[${each.join(",")}]`;
  }
  if (memorySystems !== undefined) {
    const { fast, slow } = memorySystems;
    text += `,"memory_systems":{"fast":${numberText(fast)},"slow":${numberText(slow)}}`;
  }
  return text;
}

/** Texts of the concepts that the engine keeps: the same ones are answered again and again. */
const conceptTexts = new WeakMap<Concept, string>();

function knownFields(concept: Concept): string {
  let text = conceptTexts.get(concept);
  if (text === undefined) {
    text = conceptFields(concept);
    conceptTexts.set(concept, text);
  }
  return text;
}

export function conceptFields(concept: Concept): string {
  const members = concept.members.map(
    ({ id, likeness }) => `{"id":${JSON.stringify(id)},"likeness":${numberText(likeness)}}`,
  );
  return `"id":${JSON.stringify(concept.id)},"gist":${JSON.stringify(concept.gist)},"concept":${concept.detailsJson ?? "{}"},"coherence":${numberText(concept.coherence)},"member_count":${concept.memberCount},"members":[${members.join(",")}],"confidence":${numberText(concept.confidence)},"importance":${numberText(concept.importance)},"timestamp":"${timeText(concept.timestampMs)}","stored_at":"${timeText(concept.storedAtMs)}"`;
}

function activationText(report: Recalled["activation"]): string {
  if (report === undefined) return "";
  const { seeds, visited, hops, reached, budgetExhausted } = report;
  return `,"activation":{"seeds":${seeds},"visited":${visited},"hops":${hops},"reached":${reached},"budget_exhausted":"${budgetExhausted}"}`;
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
    episodes: space.episodes,
    concepts: space.concepts,
    unconsolidated: space.unconsolidated,
    forgotten: space.forgotten,
    indexed: space.indexed,
    tail: space.tail,
    pending_embedding: space.pendingEmbedding,
    unassociated: space.unassociated,
    bindings: space.bindings,
    terms: space.terms,
    memory_bytes: space.memoryBytes,
    created_at: timeText(space.createdAtMs),
    meaning: space.meaning === undefined ? undefined : meaningJson(space.meaning),
    forgetting: {
      curve: space.forgetting.curve,
      stability_hours: space.forgetting.stabilityHours,
      floor: space.forgetting.floor,
    },
  };
}

function meaningJson(meaning: MeaningInfo) {
  return {
    version: meaning.version,
    dimensions: meaning.dimensions,
    terms: meaning.terms,
    covered: meaning.covered,
    learned_from: meaning.learnedFrom,
    learned_at: timeText(meaning.learnedAtMs),
    context: meaning.contextGain,
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

/** The fields of a memory, without the braces. */
export function memoryFields(memory: Memory): string {
  const tags = memory.tags.length === 0 ? "[]" : JSON.stringify(memory.tags);
  return `"id":${JSON.stringify(memory.id)},"content":${JSON.stringify(memory.content)},"metadata":${memory.metadataJson ?? "{}"},"tags":${tags},"timestamp":"${timeText(memory.timestampMs)}","stored_at":"${timeText(memory.storedAtMs)}","confidence":${numberText(memory.confidence)},"kind":"${memory.kind}"${mindFields(memory)}`;
}

/** What episodes and concepts have beside the fields of every memory. */
function mindFields({ kind, importance, valence, detailsJson }: Memory): string {
  if (kind === "memory") return "";
  return `,"importance":${numberText(importance)},"valence":${numberText(valence)},"${kind}":${detailsJson ?? "{}"}`;
}

/** Six decimals: confidences are f32 inside, and 0.7 should not come back as 0.699999988079071. */
export function numberText(value: number): string {
  return String(rounded(value));
}

/** Six decimals. */
export function rounded(value: number): number {
  const decimals = Math.round(value * 1e6) / 1e6;
  assert(Number.isFinite(decimals), "scores and confidences are finite");
  return decimals;
}

function whyJson(why: NonNullable<Recalled["memories"][number]["why"]>) {
  return {
    vector: why.vector,
    words: why.words,
    meaning: why.meaning,
    fusion:
      why.fusion === undefined
        ? undefined
        : {
            vector_weight: why.fusion.vectorWeight,
            words_weight: why.fusion.wordsWeight,
            meaning_weight: why.fusion.meaningWeight,
            time_weight: why.fusion.timeWeight,
          },
    ...strengthJson(why),
    activation: why.activation,
    speaker: why.speaker,
  };
}

/** What age, use, competition and context did to a score. */
function strengthJson({ strength, interference, priming, reconsolidation }: RecallWhy) {
  return {
    strength:
      strength === undefined
        ? undefined
        : {
            retention: strength.retention,
            age_hours: strength.ageHours,
            stability_hours: strength.stabilityHours,
            uses: strength.uses,
            factor: strength.factor,
            used_since: strength.usedSince,
          },
    interference,
    priming,
    reconsolidation:
      reconsolidation === undefined
        ? undefined
        : { labile: reconsolidation.labile, until: timeText(reconsolidation.untilMs) },
  };
}

function asOfText(asOf: Recalled["asOf"]): string {
  if (asOf === undefined) return "";
  const { atMs, usedSince } = asOf;
  const notes = ["What was forgotten or replaced since then is not there"];
  if (usedSince > 0) {
    notes.push(`Of ${usedSince} memories answered, the uses before then are not known: they were used since`);
  }
  return `,"as_of":${JSON.stringify({ at: timeText(atMs), used_since: usedSince, notes })}`;
}

export function fadingText({ memories, floor, nextCursor }: FadingPage): string {
  const texts = memories.map((memory) => {
    const { retention, stabilityHours, useCount, lastUsedMs, fadedAtMs } = memory;
    const lastUsed = lastUsedMs === undefined ? "null" : `"${timeText(lastUsedMs)}"`;
    return `{${memoryFields(memory)},"retention":${numberText(retention)},"stability_hours":${numberText(stabilityHours)},"use_count":${useCount},"last_used_at":${lastUsed},"faded_at":"${timeText(fadedAtMs)}"}`;
  });
  const next = nextCursor === undefined ? "null" : JSON.stringify(nextCursor);
  return `{"memories":[${texts.join(",")}],"floor":${numberText(floor)},"next_cursor":${next}}`;
}
