/**
 * Writes a checkpoint of one stream from the arenas, while its home writer goes on.
 *
 * The base data only grows, so a checkpoint appends what came since the last one: headers, vectors, contents,
 * forward lists and terms below the counts of the cut. What can change in place is small and rewritten whole:
 * which slots are forgotten (one bit each), the mind (`mind/mind-blobs.ts`), and the graph. A slot forgotten after the cut may be in the bitmap
 * already; the log behind the cut says so again, and forgetting twice is the same as once. But it must be in
 * the log: the manifest is swapped only after the log is durable up to everything the bitmap may have seen.
 *
 * Headers and terms have words that their writer changes while they are copied, so a private copy is written
 * and checksummed, with those words zeroed; recovery derives them anew.
 */
import { fstatSync } from "node:fs";
import { OperatorError } from "../base/errors.ts";
import { closeFile, preadAll } from "../ffi/files.ts";
import { openScratchFile } from "../ffi/scratch-file.ts";
import { VectorGraph } from "../index/vector-graph.ts";
import { NODE_HEADER, NODE_HEADER_BYTES, NODE_STATE } from "../layout/node-header.ts";
import { TERM, TERM_RECORD_BYTES } from "../layout/posting.ts";
import { ByteArenaReader, SlotArenaReader } from "../shm/arena.ts";
import type { EpochReader } from "../shm/epochs.ts";
import type { CheckpointStore } from "../storage/checkpoint-store.ts";
import type { SpaceCheckpoint } from "../storage/checkpoint-writer.ts";
import type { Piece } from "../storage/disk.ts";
import type { SpaceCut, StreamCut } from "./home-writer.ts";
import { BindingReader } from "./mind/binding-reader.ts";
import { MIND_BLOBS, type MindSource, mindBlob } from "./mind/mind-blobs.ts";
import { ownForgetting } from "./space-forgetting.ts";
import { quantizationOf, spaceGeometry } from "./space-geometry.ts";
import type { SpaceRoot, SpaceTable } from "./space-table.ts";
import type { SpaceDescription } from "./space-writer.ts";

/** What the manifest says of a space beside its files. */
export type SpaceMeta = {
  readonly description: SpaceDescription;
  /** the image of the space that the files hold; another one has other slots */
  readonly image: number;
  readonly nodeCount: number;
  readonly termCount: number;
  readonly contentBytes: number;
  readonly forwardBytes: number;
  readonly graph: { readonly M: number; readonly efConstruction: number; readonly covered: number };
  /** how far the walks over the nodes had come; absent in what an older program wrote */
  readonly associatedSequence?: number;
  readonly consolidatedSequence?: number;
};

const COPY_SLOTS = 8192;
const GRAPH_PIECE_BYTES = 1024 * 1024;

/**
 * Writes and commits a checkpoint at `cut`.
 *
 * @param untilDurable returns once the log is durable up to everything appended when it was called
 * @returns bytes written
 * @throws {OperatorError} `checkpoint-disk-full`, `checkpoint-failed`; the checkpoint before stays
 */
export function writeCheckpoint(options: {
  store: CheckpointStore;
  table: SpaceTable;
  epoch: EpochReader;
  cut: StreamCut;
  /** where a graph may be written down before it is copied into the checkpoint */
  scratchDirectory: string;
  untilDurable: () => void;
}): number {
  const { store, table, epoch, cut, untilDurable, scratchDirectory } = options;
  const writer = store.begin();
  const kept = new Set<number>();
  const images = new Map(store.spaces().map(({ spaceId, meta }) => [spaceId, (meta as SpaceMeta).image]));
  try {
    for (const space of cut.spaces) {
      const root = table.roots[space.spaceIndex]!;
      epoch.enter();
      try {
        if (!root.isOpen || root.load("spaceId") !== space.spaceId) {
          // Deleted since the cut: the log behind the cut ends with its deletion, so it may be missing here.
          if (!table.open().some((each) => each.load("spaceId") === space.spaceId)) continue;
          throw new OperatorError({
            code: "checkpoint-failed",
            message: `The space "${root.text("name")}" was compacted while its checkpoint was written`,
            remedy: "Nothing: the next checkpoint holds its new image",
          });
        }
        writeSpace(writer.space(space.spaceId), root, space, {
          scratchDirectory,
          image: images.get(space.spaceId),
        });
        kept.add(space.spaceId);
      } finally {
        epoch.exit();
      }
    }
    for (const { spaceId } of store.spaces()) if (!kept.has(spaceId)) writer.drop(spaceId);
    untilDurable();
  } catch (error) {
    writer.abort();
    throw error;
  }
  writer.commit(cut.sequence);
  return writer.writtenBytes;
}

function writeSpace(
  files: SpaceCheckpoint,
  root: SpaceRoot,
  cut: SpaceCut,
  { scratchDirectory, image }: { scratchDirectory: string; image: number | undefined },
): void {
  // Another image has other slots, so nothing of what the files hold can stay.
  const out = new GrowingFiles(files, image === root.number("image"));
  const description: SpaceDescription = {
    spaceId: cut.spaceId,
    name: root.text("name"),
    dimensions: root.load("dimensions"),
    embedder: root.text("embedder"),
    language: root.text("language") as SpaceDescription["language"],
    quantization: quantizationOf(root.load("quantization")),
    createdAtMs: root.number("createdAtMs"),
    forgetting: ownForgetting(root),
  };
  const g = spaceGeometry(description.dimensions, description.quantization);
  const headers = new SlotArenaReader({ ...g.headers, tableAddress: root.number("headerTable") });
  const vectors = new SlotArenaReader({ ...g.vectors, tableAddress: root.number("vectorTable") });
  const terms = new SlotArenaReader({ ...g.terms, tableAddress: root.number("termTable") });
  const content = new ByteArenaReader({
    chunkBytes: g.contentChunkBytes,
    tableAddress: root.number("contentTable"),
  });
  const forward = new ByteArenaReader({
    chunkBytes: g.forwardChunkBytes,
    tableAddress: root.number("forwardTable"),
  });

  appendSlots(out, "headers", headers, cut.nodeCount, (copy, at) => {
    // Of line 1, only the kind and the sequence stay as they are.
    copy.fill(0, at + NODE_HEADER.state, at + NODE_HEADER.kind);
    copy.fill(0, at + NODE_HEADER.phase, at + NODE_HEADER.sequence);
    copy.fill(0, at + NODE_HEADER.bindingsAt, at + NODE_HEADER_BYTES);
  });
  appendSlots(out, "terms", terms, cut.termCount, (copy, at) => {
    const words = new Uint32Array(copy.buffer, at, TERM_RECORD_BYTES / 4);
    words.fill(0, TERM.liveCount);
  });
  const vectorBytes = out.bytes("vectors");
  out.append(
    "vectors",
    vectors.ref.chunkBytes,
    vectorBytes,
    vectors.pieces(vectorBytes / vectors.strideBytes, cut.nodeCount),
  );
  out.append(
    "content",
    content.ref.chunkBytes,
    out.bytes("content"),
    content.pieces(out.bytes("content"), cut.contentBytes),
  );
  out.append(
    "forward",
    forward.ref.chunkBytes,
    out.bytes("forward"),
    forward.pieces(out.bytes("forward"), cut.forwardBytes),
  );
  files.blob("forgotten", [forgottenBits(headers, cut.nodeCount)]);
  const bindings = new BindingReader(headers, root.number("bindingTable"));
  writeMind(files, { headers, bindings, nodeCount: () => root.load("nodeCount") });
  const graph = writeGraph(files, root, scratchDirectory);
  const meta: SpaceMeta = {
    description,
    image: root.number("image"),
    nodeCount: cut.nodeCount,
    termCount: cut.termCount,
    contentBytes: cut.contentBytes,
    forwardBytes: cut.forwardBytes,
    graph,
    associatedSequence: root.number("associatedSequence"),
    consolidatedSequence: root.number("consolidatedSequence"),
  };
  files.meta(meta);
}

/** The blobs of the mind; a space without any has none. */
function writeMind(files: SpaceCheckpoint, source: MindSource): void {
  for (const blob of MIND_BLOBS) {
    const pieces = mindBlob(blob, source);
    const first = pieces.next();
    if (first.done === true) files.drop(blob);
    else files.blob(blob, following(first.value, pieces));
  }
}

function* following(first: Uint8Array, rest: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield first;
  yield* rest;
}

/** The growing files of a space: continued, or begun anew where they held another image of it. */
class GrowingFiles {
  readonly #files: SpaceCheckpoint;
  readonly #continued: boolean;

  constructor(files: SpaceCheckpoint, continued: boolean) {
    this.#files = files;
    this.#continued = continued;
  }

  /** Bytes that are held already. */
  bytes(name: string): number {
    return this.#continued ? this.#files.bytes(name) : 0;
  }

  append(name: string, chunkBytes: number, fromByte: number, pieces: Iterable<Piece>): void {
    if (this.#continued) this.#files.append(name, chunkBytes, fromByte, pieces);
    else this.#files.rewrite(name, chunkBytes, pieces);
  }
}

/** Appends the slots that the last checkpoint did not hold, from private copies that `settle` has gone over. */
function appendSlots(
  out: GrowingFiles,
  name: string,
  arena: SlotArenaReader,
  count: number,
  settle: (copy: Uint8Array, at: number) => void,
): void {
  const from = out.bytes(name) / arena.strideBytes;
  const copies = function* (): Generator<Uint8Array> {
    for (let slot = from; slot < count; ) {
      const index = arena.indexInChunk(slot);
      const slots = Math.min(COPY_SLOTS, count - slot, arena.ref.chunkBytes / arena.strideBytes - index);
      const start = index * arena.strideBytes;
      const copy = arena.u8(arena.chunkOfSlot(slot)).slice(start, start + slots * arena.strideBytes);
      for (let at = 0; at < copy.byteLength; at += arena.strideBytes) settle(copy, at);
      yield copy;
      slot += slots;
    }
  };
  out.append(name, arena.ref.chunkBytes, out.bytes(name), copies());
}

/** One bit per slot, lowest first: set where the memory is forgotten. */
function forgottenBits(headers: SlotArenaReader, nodeCount: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(nodeCount / 8));
  const stride = NODE_HEADER_BYTES / 4;
  for (let slot = 0; slot < nodeCount; slot++) {
    const words = headers.u32(headers.chunkOfSlot(slot));
    const state = words[headers.indexInChunk(slot) * stride + NODE_HEADER.state / 4];
    if (state === NODE_STATE.forgotten) bits[slot >>> 3]! |= 1 << (slot & 7);
  }
  return bits;
}

/** @returns what was written: slots it had covered, 0 when there is nothing worth keeping, and how it was built */
function writeGraph(out: SpaceCheckpoint, root: SpaceRoot, scratchDirectory: string): SpaceMeta["graph"] {
  // The root's graphM may be that of a graph swapped in meanwhile, so the graph itself is asked.
  const graph = VectorGraph.attach(root.number("graph"));
  const { nodes, M, efConstruction } = graph.stats();
  if (nodes === 0) {
    out.drop("graph");
    return { M, efConstruction, covered: 0 };
  }
  // The graph writes itself into a file in one go, under the lock that keeps its inserter out; from there it
  // is copied with the checkpoint's own checksums.
  const file = openScratchFile(scratchDirectory);
  try {
    const { covered } = graph.save(file, 0);
    const bytes = fstatSync(file).size;
    const buffer = new Uint8Array(GRAPH_PIECE_BYTES);
    const pieces = function* (): Generator<Uint8Array> {
      for (let at = 0; at < bytes; ) {
        const count = preadAll(file, buffer, 0, Math.min(buffer.byteLength, bytes - at), at);
        yield buffer.subarray(0, count);
        at += count;
      }
    };
    out.blob("graph", pieces());
    return { M, efConstruction, covered };
  } finally {
    closeFile(file);
  }
}
