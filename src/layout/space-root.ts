/**
 * The root of a memory space: one block per space in the space table, shared by all threads.
 *
 * The table is a SharedArrayBuffer of `spaces.max` blocks. A space's home writer fills a block in and then
 * stores `state = open` (atomically): whoever sees `open` sees the rest. Counters are stored atomically by
 * their one owner; addresses of tables that grow come in pairs, and the generation's lowest bit says which
 * of the two is valid, so a reader that loads the generation first never mixes old and new.
 *
 *   byte  0 … 128    u32 words (SPACE_WORD)
 *         128 … 512  f64 numbers (SPACE_NUMBER); addresses fit exactly, they have 48 bits
 *         512 … 1024 texts: name (128), embedder (256), language (64), as length byte + UTF-8
 */
import { assert } from "../base/assert.ts";
import { BINDING_KIND_COUNT } from "./binding.ts";

export const SPACE_ROOT_BYTES = 1024;

/** Word index (u32) from the start of a block. Owner: the home writer, unless said otherwise. */
export const SPACE_WORD = {
  /** a SPACE_STATE */
  state: 0,
  /** grows by one whenever the block changes hands; views of another generation are dropped */
  generation: 1,
  /** number of the space in the log, never used again after it is deleted */
  spaceId: 2,
  /** home writer, and with it the log stream */
  writer: 3,
  /** NUMA node of its memory; 0xffffffff where memory is not bound */
  node: 4,
  dimensions: 5,
  /** a QUANTIZATION code */
  quantization: 6,
  /** slots published to readers */
  nodeCount: 7,
  /** slots below this are in the graph. Owner: the indexer */
  indexedCount: 8,
  liveCount: 9,
  forgottenCount: 10,
  /** live memories without a vector yet */
  pendingCount: 11,
  termCount: 12,
  idTableGeneration: 13,
  termTableGeneration: 14,
  /** HNSW connectivity of the graph in use. Owner: the indexer */
  graphM: 15,
  graphEfConstruction: 16,
  /** grows with each graph swapped in. Owner: the indexer */
  graphGeneration: 17,
  /** a rebuild asked for: grows by one. Owner: the home writer */
  rebuildRequested: 18,
  rebuildM: 19,
  rebuildEfConstruction: 20,
  /** the last rebuild finished. Owner: the indexer */
  rebuildDone: 21,
  /** vectors in the graph being built. Owner: the indexer */
  rebuildProgress: 22,
  /** set once the graph's own damage was met and it is being built anew. Owner: the indexer */
  graphRebuilt: 23,
  /** live concepts, and live episodes */
  conceptCount: 24,
  episodeCount: 25,
  /** slots below this were looked at by the associator, and by the consolidator */
  associatedCount: 26,
  consolidatedCount: 27,
  /** bindings, each counted once */
  bindingCount: 28,
  /** grows with every change of bindings and traits, so that what is derived from them can be kept until then */
  mindGeneration: 29,
  /** FORGETTING_CURVE + 1; 0: as in the settings */
  forgettingCurve: 30,
  /** grows with every meaning of words that is published; its lowest bit says which address holds. Owner: background */
  meaningGeneration: 31,
} as const;

/** Index of an f64 from byte 128 of a block. */
export const SPACE_NUMBER = {
  createdAtMs: 0,
  /** addresses of the arenas' chunk tables */
  headerTable: 1,
  vectorTable: 2,
  quantisedTable: 3,
  contentTable: 4,
  forwardTable: 5,
  termTable: 6,
  postingTable: 7,
  /** the graph object in native memory; 0 while there is none. Owner: the indexer */
  graph: 8,
  idTableAddress0: 9,
  idTableAddress1: 10,
  idTableCapacity0: 11,
  idTableCapacity1: 12,
  termHashAddress0: 13,
  termHashAddress1: 14,
  termHashCapacity0: 15,
  termHashCapacity1: 16,
  /** terms over all live memories, with repetition: the average length is this by liveCount */
  tokensTotal: 17,
  /** bytes mapped for the space, the graph aside */
  mappedBytes: 18,
  /** bytes of the graph. Owner: the indexer */
  graphBytes: 19,
  /** sequence number of the last write applied */
  lastSequence: 20,
  /** bytes of contents, the texts and metadata as stored */
  contentUsedBytes: 21,
  /** which image of the space these arenas are: compaction makes the next one, with other slots */
  image: 22,
  /** address of the binding arena's chunk table */
  bindingTable: 23,
  /** sequence number of the last node the associator has looked at, and the consolidator; 0 at first */
  associatedSequence: 24,
  consolidatedSequence: 25,
  /** bindings by their kind, BINDING_KIND_COUNT numbers */
  bindingsByKind: 26,
  /** uses since the start of the process, by USE */
  usesRetrieved: 34,
  usesReinforced: 35,
  usesPrimed: 36,
  /** live nodes in the phases behind the first */
  consolidatingCount: 37,
  remoteCount: 38,
  /** half-life of a new memory, hours; 0: as in the settings */
  stabilityHours: 39,
  /** blocks of what was learned (meaning-block.ts); 0 while there is none. Owner: background */
  meaningAddress0: 40,
  meaningAddress1: 41,
} as const;

export const SPACE_NUMBERS_AT = 128;
export const SPACE_TEXT = {
  name: { at: 512, bytes: 128 },
  embedder: { at: 640, bytes: 256 },
  language: { at: 896, bytes: 64 },
} as const;

/**
 * `claimed`: a home writer fills the block in, or recovers the space; readers do not see it yet.
 * `compacting`: the same, for the compacted image of a space that is open; indexers work on it already.
 */
export const SPACE_STATE = { free: 0, open: 1, closing: 2, claimed: 3, compacting: 4 } as const;
export const QUANTIZATION = { f32: 0, bf16: 1, f16: 2, i8: 3 } as const;
export type Quantization = keyof typeof QUANTIZATION;

export const NODE_UNBOUND = 0xffffffff;

assert(Math.max(...Object.values(SPACE_WORD)) * 4 < SPACE_NUMBERS_AT, "words end before the numbers");
assert(
  SPACE_NUMBERS_AT + (Math.max(...Object.values(SPACE_NUMBER)) + 1) * 8 <= SPACE_TEXT.name.at,
  "numbers end before the texts",
);
assert(
  SPACE_NUMBER.bindingsByKind + BINDING_KIND_COUNT === SPACE_NUMBER.usesRetrieved,
  "there is a count for every kind of binding",
);
assert(SPACE_TEXT.language.at + SPACE_TEXT.language.bytes <= SPACE_ROOT_BYTES, "texts fit the block");
