/**
 * How hard the indexer works while others need the cores.
 *
 * Linking a vector costs some 0.3 ms of a core, storing it durably a tenth of that. In a burst of writes that
 * nobody recalls from, linking can wait: the tail has room for thousands of vectors, and the cores serve the
 * burst. Once memories are recalled, every vector in the tail costs every recall, and once the tail fills,
 * writers are held back; then linking goes at full speed.
 *
 *   rest after each batch = what the batch took × (1 / duty − 1)
 *   duty = 1                     while no write came since the last look, or recalls are as frequent as
 *                                a quarter of the writes
 *        = 0.1 … 1               with the tail's fill from RELAXED_FILL to FULL_FILL otherwise
 */
export type IndexPaceOptions = {
  readonly tailMax: number;
  /** recalls answered by all API workers so far */
  readonly recalls: () => number;
  /** monotonic, ms */
  readonly now: () => number;
};

const DUTY_MIN = 0.1;
const RELAXED_FILL = 0.4;
const FULL_FILL = 0.8;
/** Rates are looked at over at least this long. */
const LOOK_MS = 50;
const RECALLS_PER_WRITE = 0.25;
const REST_MS_MAX = 100;

export class IndexPace {
  readonly #options: IndexPaceOptions;
  #turnedAtMs: number;
  #lookedAtMs: number;
  #nodesSeen = 0;
  #recallsSeen = 0;
  #isBurst = false;
  #restMs = 0;

  constructor(options: IndexPaceOptions) {
    this.#options = options;
    this.#turnedAtMs = this.#lookedAtMs = options.now();
  }

  /** How long to rest now, ms; 0 to go on at once. */
  get restMs(): number {
    return this.#restMs;
  }

  /** A turn begins: what it takes counts from here. */
  begin(): void {
    this.#turnedAtMs = this.#options.now();
  }

  /** A turn is over. @param facts nodes of all spaces ever stored, and the longest tail */
  turned(facts: { readonly tailLongest: number; readonly nodes: number }): void {
    const { now, recalls, tailMax } = this.#options;
    const nowMs = now();
    if (nowMs - this.#lookedAtMs >= LOOK_MS) {
      const recallCount = recalls();
      const written = facts.nodes - this.#nodesSeen;
      this.#isBurst = written > 0 && recallCount - this.#recallsSeen < written * RECALLS_PER_WRITE;
      this.#nodesSeen = facts.nodes;
      this.#recallsSeen = recallCount;
      this.#lookedAtMs = nowMs;
    }
    const fill = facts.tailLongest / tailMax;
    const rise = Math.min(1, Math.max(0, (fill - RELAXED_FILL) / (FULL_FILL - RELAXED_FILL)));
    const duty = this.#isBurst ? DUTY_MIN + (1 - DUTY_MIN) * rise : 1;
    this.#restMs = Math.min(REST_MS_MAX, (nowMs - this.#turnedAtMs) * (1 / duty - 1));
  }
}
