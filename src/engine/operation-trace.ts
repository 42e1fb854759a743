/**
 * What one operation did and what it waited for, while it runs: the parts write down what they know anyway, so that
 * an operation that turns out to be slow can be explained afterwards.
 *
 *   resting ──begin──▶ running ──end──▶ resting        whoever began it takes it back (`observe/slow-watch.ts`)
 *
 * It travels with the query or the options of a verb, and is plain stores into fields: nothing is allocated and no
 * clock is read for it, since the parts read the clock at each stage for their meter already.
 */
import type { OutgoingTrace, TraceContext } from "../base/trace-context.ts";
import { STAGES } from "../layout/metric-codes.ts";
import { NODE_UNBOUND } from "../layout/space-root.ts";
import type { Ack, RecallQuery } from "./engine.ts";
import type { SpaceRoot } from "./space-table.ts";

export class OperationTrace {
  /** an OPERATION */
  operation = 0;
  space = "";
  /** of the meter's clock, ms */
  startedAtMs = 0;
  /** the request's trace, and the span of its wait for an embedding server; that only where it is sampled */
  context: TraceContext | undefined;
  embedSpanId: string | undefined;
  /** by STAGE */
  readonly stagesMs = new Float64Array(STAGES.length);
  /** by STAGE: when it ended last, of the meter's clock; means something where the stage took time */
  readonly stageEndsMs = new Float64Array(STAGES.length);

  /** of a recall: what was asked for */
  query: RecallQuery | undefined;
  /** place in RECALL_MODES; -1 until it was carried out */
  mode = -1;
  /** candidates the walk kept; 0 where no vectors were searched */
  ef = 0;
  /** a SEARCH_PLAN */
  searchPlan = 0;
  distancesInGraph = 0;
  distancesInScan = 0;
  /** estimated share of memories that pass the filters; 1 without filters */
  selectivity = 1;
  /** memories that hold a word of the query */
  postings = 0;
  /** memories whose scores were fused */
  candidates = 0;
  /** bindings that activation followed */
  bindings = 0;
  results = 0;
  /** characters of the reply, which are bytes where it is ASCII */
  replyLength = 0;

  /** of a remember or forget */
  ack: Ack | undefined;
  memories = 0;
  /** place of the home writer; -1 until something was sent to it */
  writer = -1;
  /** what whoever began it read of the writers' logs then; of a write only */
  syncsBefore: Float64Array | undefined;
  /** waits for room in the tail, and in the ring to the writer, ms */
  tailWaitMs = 0;
  ringWaitMs = 0;

  /** of the space, when the operation came by */
  liveCount = 0;
  tailVectors = 0;
  node = -1;

  /** Forgets the operation before. */
  begin(operation: number, space: string, startedAtMs: number, context?: TraceContext): void {
    this.operation = operation;
    this.context = context;
    this.embedSpanId = context?.isSampled === true ? context.newSpanId() : undefined;
    this.space = space;
    this.startedAtMs = startedAtMs;
    this.stagesMs.fill(0);
    this.query = undefined;
    this.mode = -1;
    this.ef = 0;
    this.searchPlan = 0;
    this.distancesInGraph = 0;
    this.distancesInScan = 0;
    this.selectivity = 1;
    this.postings = 0;
    this.candidates = 0;
    this.bindings = 0;
    this.results = 0;
    this.replyLength = 0;
    this.ack = undefined;
    this.memories = 0;
    this.writer = -1;
    this.tailWaitMs = 0;
    this.ringWaitMs = 0;
    this.liveCount = 0;
    this.tailVectors = 0;
    this.node = -1;
  }

  noteSpace(root: SpaceRoot): void {
    this.liveCount = root.load("liveCount");
    this.tailVectors = Math.max(0, root.load("nodeCount") - root.load("indexedCount"));
    const node = root.load("node");
    this.node = node === NODE_UNBOUND ? -1 : node;
  }

  /** @param stage a STAGE @param endedAtMs of the meter's clock */
  stage(stage: number, tookMs: number, endedAtMs: number): void {
    this.stagesMs[stage]! += tookMs;
    this.stageEndsMs[stage] = endedAtMs;
  }

  /** What a request that this operation makes says of its trace. */
  outgoing(): OutgoingTrace | undefined {
    return this.context?.outgoing(this.embedSpanId ?? this.context.spanId);
  }
}
