/** The best `capacity` of a stream of scored slots: a binary heap with the worst kept one on top. */
export class TopScores {
  readonly slots: Uint32Array;
  readonly scores: Float32Array;
  count = 0;
  #capacity = 0;

  /** @param capacityMax the largest `capacity` it will be asked for */
  constructor(capacityMax: number) {
    this.slots = new Uint32Array(capacityMax);
    this.scores = new Float32Array(capacityMax);
  }

  start(capacity: number): void {
    this.count = 0;
    this.#capacity = Math.min(capacity, this.slots.length);
  }

  /** Whether an entry of this score would be kept: ask before paying for finding out more about it. */
  wants(score: number): boolean {
    return this.count < this.#capacity || score > this.scores[0]!;
  }

  add(slot: number, score: number): void {
    const { slots, scores } = this;
    if (this.count < this.#capacity) {
      let at = this.count++;
      while (at > 0) {
        const parent = (at - 1) >>> 1;
        if (scores[parent]! <= score) break;
        scores[at] = scores[parent]!;
        slots[at] = slots[parent]!;
        at = parent;
      }
      scores[at] = score;
      slots[at] = slot;
      return;
    }
    if (score <= scores[0]!) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.count) break;
      if (child + 1 < this.count && scores[child + 1]! < scores[child]!) child += 1;
      if (scores[child]! >= score) break;
      scores[at] = scores[child]!;
      slots[at] = slots[child]!;
      at = child;
    }
    scores[at] = score;
    slots[at] = slot;
  }
}
