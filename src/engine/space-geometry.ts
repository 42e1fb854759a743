/**
 * How a memory space is cut into arenas: slots per chunk and bytes per slot. Every thread derives the same
 * numbers from the space's dimensions and quantisation, so only the chunk tables' addresses are shared.
 */
import { CACHE_LINE_BYTES } from "../layout/cache-line.ts";
import { NODE_HEADER_BYTES } from "../layout/node-header.ts";
import { TERM_RECORD_BYTES } from "../layout/posting.ts";
import { quantisedVectorBytes } from "../layout/quantised-vector.ts";
import { QUANTIZATION, type Quantization } from "../layout/space-root.ts";

const MIB = 1024 * 1024;

export type SlotGeometry = { readonly slotsPerChunk: number; readonly strideBytes: number };

export type SpaceGeometry = {
  readonly headers: SlotGeometry;
  readonly vectors: SlotGeometry;
  readonly quantised: SlotGeometry;
  readonly terms: SlotGeometry;
  readonly contentChunkBytes: number;
  readonly forwardChunkBytes: number;
  readonly postingChunkBytes: number;
};

export function quantizationOf(code: number): Quantization {
  for (const name of Object.keys(QUANTIZATION) as Quantization[])
    if (QUANTIZATION[name] === code) return name;
  throw new RangeError(`no quantisation has the code ${code}`);
}

export function spaceGeometry(dimensions: number, quantization: Quantization): SpaceGeometry {
  return {
    headers: { slotsPerChunk: 16_384, strideBytes: NODE_HEADER_BYTES },
    vectors: { slotsPerChunk: 4096, strideBytes: wholeLines(dimensions * 4) },
    quantised: {
      slotsPerChunk: 4096,
      strideBytes: wholeLines(quantisedVectorBytes(quantization, dimensions)),
    },
    terms: { slotsPerChunk: 65_536, strideBytes: TERM_RECORD_BYTES },
    contentChunkBytes: 8 * MIB,
    forwardChunkBytes: 2 * MIB,
    postingChunkBytes: 2 * MIB,
  };
}

function wholeLines(bytes: number): number {
  return Math.ceil(bytes / CACHE_LINE_BYTES) * CACHE_LINE_BYTES;
}
