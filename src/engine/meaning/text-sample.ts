/**
 * Chooses what is learned from: which terms, and which memories, so that learning fits its memory.
 *
 * Half of the memory is for the texts, half for the terms. Where a space has too much text, runs of neighbours
 * spread over the whole of it are taken, because neighbours are context. Where it has too many terms, the rarest
 * are left out. Both depend on nothing but the space and the settings.
 */
import { workBytes } from "../../cognition/meaning/learn.ts";
import { type TextMatrix, TextMatrixBuilder } from "../../cognition/meaning/text-matrix.ts";
import { inverseDocumentFrequency } from "../../index/bm25.ts";
import { MEANING_NO_ROW } from "../../layout/meaning-block.ts";
import type { MeaningSettings } from "./meaning-settings.ts";
import type { SpaceText } from "./space-text.ts";

const RUN_SLOTS = 64;
const SLICE_SLOTS = 256;
const SLICE_TERMS = 8192;
/** term and weight of an entry */
const ENTRY_BYTES = 8;
/** Of a very long text only so many terms are read: a book is not a thousand times as good a context. */
const TEXT_TERMS_MAX = 512;
const COUNTED_MAX = 4096;

export type TextSample = {
  readonly texts: TextMatrix;
  /** by term of the space: its row, or MEANING_NO_ROW */
  readonly rowOf: Uint32Array;
  readonly gains: Float32Array;
  /** by row: the halves of the term's hash */
  readonly hashes: Uint32Array;
};

/** Reads a sample in slices. @returns the sample; its generator throws `SpaceGone` with its space */
export function* sampleText(
  text: SpaceText,
  settings: Pick<MeaningSettings, "dimensionsMax" | "termsMax" | "workBytes">,
): Generator<void, TextSample> {
  const { root } = text;
  const { nodeCount, liveCount, termCount, tokens } = text.inside(() => ({
    nodeCount: root.load("nodeCount"),
    liveCount: root.load("liveCount"),
    termCount: root.load("termCount"),
    tokens: root.number("tokensTotal"),
  }));
  const rowsMax = termsThatFit(settings);
  const countMin = yield* leastCount(text, termCount, rowsMax);
  const rowOf = new Uint32Array(termCount).fill(MEANING_NO_ROW);
  const room = Math.min(rowsMax, termCount);
  const gains = new Float32Array(room);
  const hashes = new Uint32Array(2 * room);
  let rows = 0;
  for (let from = 0; from < termCount && rows < room; from += SLICE_TERMS) {
    text.inside(() => {
      const to = Math.min(termCount, from + SLICE_TERMS);
      for (let term = from; term < to && rows < room; term++) {
        const withTermCount = text.liveCount(term);
        if (withTermCount < countMin) continue;
        rowOf[term] = rows;
        gains[rows] = inverseDocumentFrequency({ memoryCount: liveCount, withTermCount });
        text.hashInto(term, hashes, 2 * rows);
        rows += 1;
      }
    });
    yield;
  }
  const used = gains.subarray(0, rows);
  const entriesMax = Math.floor(settings.workBytes / 2 / ENTRY_BYTES);
  const texts = yield* readTexts(text, { nodeCount, liveCount, tokens, entriesMax, rowOf, gains: used });
  return { texts, rowOf, gains: used, hashes: hashes.subarray(0, 2 * rows) };
}

/** Rows whose work fits half of the memory, by halving the interval. */
function termsThatFit(settings: Pick<MeaningSettings, "dimensionsMax" | "termsMax" | "workBytes">): number {
  let low = 1;
  let high = settings.termsMax;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (workBytes(middle, settings.dimensionsMax) <= settings.workBytes / 2) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The least number of memories a term must be in so that at most `rowsMax` are. */
function* leastCount(text: SpaceText, termCount: number, rowsMax: number): Generator<void, number> {
  if (termCount <= rowsMax) return 1;
  const byCount = new Uint32Array(COUNTED_MAX + 1);
  for (let from = 0; from < termCount; from += SLICE_TERMS) {
    text.inside(() => {
      for (let term = from; term < Math.min(termCount, from + SLICE_TERMS); term++) {
        byCount[Math.min(COUNTED_MAX, text.liveCount(term))]! += 1;
      }
    });
    yield;
  }
  let kept = 0;
  for (let count = COUNTED_MAX; count >= 1; count--) {
    kept += byCount[count]!;
    if (kept > rowsMax) return count + 1;
  }
  return 1;
}

function* readTexts(
  text: SpaceText,
  from: {
    readonly nodeCount: number;
    readonly liveCount: number;
    readonly tokens: number;
    readonly entriesMax: number;
    readonly rowOf: Uint32Array;
    readonly gains: Float32Array;
  },
): Generator<void, TextMatrix> {
  const { nodeCount, liveCount, tokens, entriesMax, rowOf, gains } = from;
  // No text has more distinct terms than tokens, so this is never too few.
  const entries = Math.min(entriesMax, tokens + liveCount);
  const wanted = Math.max(1, Math.floor((entriesMax / Math.max(1, tokens)) * nodeCount));
  const builder = new TextMatrixBuilder(gains, {
    texts: Math.min(nodeCount, liveCount + RUN_SLOTS),
    entries,
  });
  const isWhole = wanted >= nodeCount;
  const runCount = isWhole ? 1 : Math.max(1, Math.floor(wanted / RUN_SLOTS));
  let room = Math.min(nodeCount, liveCount + RUN_SLOTS);
  let left = entries;
  for (let run = 0; run < runCount; run++) {
    const first = Math.floor((run * nodeCount) / runCount);
    const end = isWhole ? nodeCount : Math.min(nodeCount, first + RUN_SLOTS);
    if (run > 0) builder.beginRun();
    for (let slice = first; slice < end; slice += SLICE_SLOTS) {
      text.inside(() => {
        for (let slot = slice; slot < Math.min(end, slice + SLICE_SLOTS) && room > 0 && left > 0; slot++) {
          let taken = 0;
          const isText = text.termsOf(slot, (term, occurrences) => {
            const row = term < rowOf.length ? rowOf[term]! : MEANING_NO_ROW;
            if (row === MEANING_NO_ROW || taken >= TEXT_TERMS_MAX) return;
            if (builder.add(row, occurrences)) taken += 1;
          });
          if (!isText) continue;
          builder.endText();
          room -= 1;
          left -= taken;
        }
      });
      yield;
    }
  }
  return builder.finish();
}
