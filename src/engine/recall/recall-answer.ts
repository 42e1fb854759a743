/** The end of a recall: the best candidates read from memory, each once, with what its score is made of. */
import { VIA } from "../../index/vector-searcher.ts";
import { analyseWords } from "../../language/analyse.ts";
import { NODE_KIND } from "../../layout/node-header.ts";
import type { RecalledMemory, RecallWhy } from "../engine.ts";
import { DROPPED, type ExplainedWhy, type RecallStage, type RecallWork } from "./recall-work.ts";

const VIA_NAMES = { [VIA.index]: "index", [VIA.tail]: "tail", [VIA.scan]: "scan" } as const;

/** The memories to answer, best first. */
export function answerOf(work: RecallWork, stages: readonly RecallStage[]): RecalledMemory[] {
  const { reader, candidates } = work;
  const { query } = work.plan;
  const { scores, slots } = candidates;
  const threshold = query.threshold ?? Number.NEGATIVE_INFINITY;
  const memories: RecalledMemory[] = [];
  const ids = new Map<string, { at: number; slot: number }>();
  // Versions of one memory, and what was forgotten this moment, take the places of a few.
  for (const candidate of candidates.inOrder(query.limit + 8)) {
    if (memories.length >= query.limit) break;
    const score = scores[candidate]!;
    if (score === DROPPED || score < threshold) break;
    const slot = slots[candidate]!;
    if (!reader.isLive(slot)) continue;
    // Activation comes by concepts, too; they are answered as memories where they were asked for.
    if (work.filter === undefined && reader.kind(slot) === NODE_KIND.concept) continue;
    const memory = reader.memory(slot);
    const twin = ids.get(memory.id);
    // Two versions of one memory: the one stored later is what it is now.
    if (twin !== undefined && twin.slot > slot) continue;
    const why = query.explain ? whyOf(work, stages, candidate, memory.content) : undefined;
    const recalled: RecalledMemory = { ...memory, score, why };
    if (twin !== undefined) {
      memories[twin.at] = recalled;
      candidates.answered[twin.at] = candidate;
      twin.slot = slot;
    } else {
      ids.set(memory.id, { at: memories.length, slot });
      memories.push(recalled);
      candidates.answered.push(candidate);
    }
  }
  return memories;
}

function whyOf(
  work: RecallWork,
  stages: readonly RecallStage[],
  candidate: number,
  content: string,
): RecallWhy {
  const { plan, candidates, search, weights } = work;
  const why: ExplainedWhy = {};
  if (plan.mode !== "words") {
    const found = candidate < candidates.vectorCount;
    why.vector = {
      similarity: candidates.cosines[candidate]!,
      ...(found ? { rank: candidate + 1 } : {}),
      via: found ? VIA_NAMES[search.via(candidate) as 0 | 1 | 2] : "scan",
    };
  }
  if (plan.mode !== "vector") {
    const bm25 = candidates.bm25[candidate]!;
    const rank = bm25 > 0 ? rankByWords(work, bm25) : undefined;
    why.words = { bm25, ...(rank === undefined ? {} : { rank }), terms: termsShared(work, content) };
  }
  if (plan.mode === "hybrid") {
    if (weights.meaning > 0) why.meaning = { similarity: candidates.meanings[candidate]! };
    why.fusion = {
      vectorWeight: weights.vector,
      wordsWeight: weights.words,
      meaningWeight: weights.meaning,
      timeWeight: weights.time,
    };
  }
  for (const stage of stages) stage.explain(work, candidate, why);
  return why;
}

/** Rank among the candidates by BM25, from 1. */
function rankByWords({ candidates }: RecallWork, bm25: number): number {
  let rank = 1;
  for (let i = 0; i < candidates.count; i++) if (candidates.bm25[i]! > bm25) rank += 1;
  return rank;
}

/** Terms of the query that the content says. */
function termsShared({ plan, reader }: RecallWork, content: string): string[] {
  const asked = new Set(analyseWords(plan.query.query!, reader.language).map((word) => word.term));
  const terms = new Set<string>();
  for (const { term } of analyseWords(content, reader.language)) {
    if (term !== undefined && asked.has(term)) terms.add(term);
  }
  return [...terms];
}
