/**
 * One recall, in the thread that was asked: candidates from the vectors and from the words, fused, and read.
 *
 * Both searches hand in more candidates than are asked for, and every candidate gets both scores: those the
 * words found are compared exactly with the query's vector, those the vectors found have their BM25 score in
 * the accumulator already. So the fusion (`fuse.ts`) never has to guess what a missing rank would have been.
 *
 * A searcher keeps its arrays from recall to recall; it is not reentrant, and nothing in it awaits.
 */
import { FILTER, FILTER_HEAD_BYTES, FILTER_TAGS_MAX } from "../layout/filter.ts";
import type { ScoreAccumulator } from "../index/word-index-reader.ts";
import type { VectorSearcher } from "../index/vector-searcher.ts";
import { analyseWords } from "../language/analyse.ts";
import type { Language } from "../language/languages.ts";
import type { TermBuffer } from "../language/term-buffer.ts";
import type { Hash64 } from "../base/hash64.ts";
import type { RecalledMemory, RecallMode, RecallQuery, RecallWhy } from "./engine.ts";
import { FusionScratch, fuse } from "./fuse.ts";
import type { SpaceReader } from "./space-reader.ts";
import { hashText } from "./write-codec.ts";

export type RecallPlan = {
  readonly mode: RecallMode;
  readonly query: RecallQuery;
  /** unit vector; undefined in words mode */
  readonly vector: Float32Array | undefined;
  /** terms of the query's text; empty in vector mode */
  readonly terms: TermBuffer | undefined;
  readonly ef: number;
  /** whether the vectors are the built-in hashed ones, which know words only */
  readonly vectorsAreHashed: boolean;
};
