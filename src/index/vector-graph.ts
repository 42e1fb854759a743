/**
 * The graph of a memory space, as its owner (the indexer) sees it: made, filled, saved, loaded, closed.
 *
 *   open ──► add … add ──► close          links slots in their order, a few at a time
 *     └────► load ──► add …               continues where the saved graph ended
 *
 * The graph is one native object; `address` is all that other threads need to search it (VectorSearcher).
 * One thread at a time adds, saves or repairs; searches go on all the while. `close` frees it: whoever swaps
 * a graph for another waits until no searcher is in the old one.
 */
import { assert } from "../base/assert.ts";
import { FileError } from "../ffi/file-error.ts";
import { isErrno } from "../ffi/library.ts";
import {
  addToGraph,
  closeGraph,
  type GraphConfig,
  graphStats,
  loadGraph,
  openGraph,
  quantiseSlots,
  repairGraph,
  type SavedGraph,
  saveGraph,
} from "../ffi/vector.ts";

export type { GraphConfig, SavedGraph } from "../ffi/vector.ts";

export type GraphStats = {
  /** vectors linked, forgotten ones among them: they stay as waypoints */
  readonly nodes: number;
  /** slots that share the node of an equal vector */
  readonly twins: number;
  /** slots below were offered to the graph: linked, or skipped for good */
  readonly covered: number;
  readonly levelMax: number;
  readonly M: number;
  readonly efConstruction: number;
  readonly usedBytes: number;
  readonly reservedBytes: number;
};

/** `damaged`: cut or changed bytes. `mismatched`: made with another M, quantization or number of dimensions. */
export type LoadOutcome = "loaded" | "damaged" | "mismatched";

export class VectorGraph {
  readonly address: number;
  #open = true;

  /** A graph that is open already, by its address. */
  static attach(address: number): VectorGraph {
    return new VectorGraph(address);
  }

  /** @throws {OperatorError} `vector-index-failed` without memory */
  static open(config: GraphConfig): VectorGraph {
    return new VectorGraph(openGraph(config));
  }

  private constructor(address: number) {
    assert(address > 0, "a graph has an address");
    this.address = address;
  }

  /**
   * Links the next `count` slots, of which those that are not live or have no vector are skipped for good.
   * Costs some 0.3 ms a slot at 768 dimensions, so that a caller who must stay responsive adds 8 to 64.
   *
   * @param firstSlot where the last call ended: `stats().covered`
   * @returns how many were linked
   * @throws {OperatorError} `vector-index-full`, `vector-index-failed`
   */
  add(firstSlot: number, count: number): number {
    assert(this.#open, "the graph is open");
    return addToGraph(this.address, firstSlot, count);
  }

  stats(): GraphStats {
    assert(this.#open, "the graph is open");
    const out = new Float64Array(9);
    graphStats(this.address, out);
    return {
      nodes: out[0]!,
      covered: out[1]!,
      levelMax: out[2]!,
      M: out[3]!,
      efConstruction: out[4]!,
      usedBytes: out[6]!,
      reservedBytes: out[7]!,
      twins: out[8]!,
    };
  }

  /** Fills the quantised arena for slots whose exact vectors were just loaded and that nobody reads yet. */
  quantise(firstSlot: number, count: number, threads: number): void {
    quantiseSlots(this.address, firstSlot, count, threads);
  }

  /**
   * Links again what can not be reached: linking a node may push the last link to another one out of a full
   * list. To be called after a bulk load. Some 10 ms per 100,000 nodes.
   *
   * @returns unreachable nodes before and after
   */
  repair(rounds = 8): { readonly before: number; readonly after: number } {
    return repairGraph(this.address, rounds);
  }

  /**
   * Writes the links (not the vectors) into an open file, checksummed but not synced.
   *
   * @throws {FileError} after which the file holds a part of them
   */
  save(fd: number, fileOffset: number): SavedGraph {
    const saved = saveGraph(this.address, fd, fileOffset);
    if (typeof saved === "number") throw new FileError(`write a vector graph to descriptor ${fd}`, saved);
    return saved;
  }

  /**
   * Fills this empty graph from what `save` wrote. Unless it is "loaded" the graph stays empty, to be built
   * from the vectors. Some 50 ms per 100,000 nodes.
   *
   * @param slotsMax slots that the arenas hold; a graph that names others is damaged
   * @throws {FileError} when the file can not be read
   */
  load(fd: number, fileOffset: number, slotsMax: number): LoadOutcome {
    const answer = loadGraph(this.address, fd, fileOffset, slotsMax);
    if (answer === 0) return "loaded";
    if (isErrno(answer, "EBADMSG")) return "damaged";
    if (isErrno(answer, "ESTALE")) return "mismatched";
    assert(!isErrno(answer, "EINVAL"), "a graph is loaded into an empty one");
    throw new FileError(`read a vector graph from descriptor ${fd}`, answer);
  }

  /** Frees it. No thread may be searching it, or search it again. */
  close(): void {
    assert(this.#open, "a graph is closed once");
    this.#open = false;
    closeGraph(this.address);
  }
}
