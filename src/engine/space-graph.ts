/** How a space's graph is laid over its arenas: the same for the writer that opens it and the one that rebuilds it. */
import type { GraphConfig } from "../index/vector-graph.ts";
import { CHUNKS_MAX } from "../shm/arena.ts";
import type { SlotGeometry, SpaceGeometry } from "./space-geometry.ts";
import { quantizationOf, spaceGeometry } from "./space-geometry.ts";
import type { SpaceRoot } from "./space-table.ts";

export type GraphShape = { readonly M: number; readonly efConstruction: number };

/** Where a graph's memory comes from; wherever the kernel likes where neither is given. */
export type GraphPlace = {
  /** NUMA node */
  readonly node?: number | undefined;
  /** NUMA nodes to spread it over, in place of `node` */
  readonly interleaveNodes?: readonly number[] | undefined;
};

/** A space as far as its graph needs to know it. */
type GraphSpace = { readonly root: SpaceRoot; readonly geometry?: SpaceGeometry };

export function graphConfig({ root, geometry }: GraphSpace, shape: GraphShape & GraphPlace): GraphConfig {
  const dimensions = root.load("dimensions");
  const quantization = quantizationOf(root.load("quantization"));
  const g = geometry ?? spaceGeometry(dimensions, quantization);
  const arena = (tableAddress: number, { slotsPerChunk, strideBytes }: SlotGeometry) => ({
    tableAddress,
    chunkShift: 31 - Math.clz32(slotsPerChunk),
    strideBytes,
  });
  return {
    dimensions,
    quantization,
    M: shape.M,
    efConstruction: shape.efConstruction,
    node: shape.node ?? -1,
    interleaveNodes: shape.interleaveNodes,
    nodesMax: CHUNKS_MAX * g.vectors.slotsPerChunk,
    headers: arena(root.number("headerTable"), g.headers),
    exact: arena(root.number("vectorTable"), g.vectors),
    quantised: arena(root.number("quantisedTable"), quantization === "f32" ? g.vectors : g.quantised),
    content: { tableAddress: root.number("contentTable"), chunkBytes: g.contentChunkBytes },
  };
}
