/** How much of an API worker each space takes, while somebody profiles: operations and their time, by space. */
import type { SpaceBusy } from "./profile-slice.ts";

/** Spaces told apart; what is asked of more goes under OTHERS. */
const SPACES_MAX = 256;
const OTHERS = "(others)";

export class SpaceTally {
  readonly #bySpace = new Map<string, { operations: number; busyMs: number }>();

  add(space: string, tookMs: number): void {
    let entry = this.#bySpace.get(space);
    if (entry === undefined) {
      const name = this.#bySpace.size < SPACES_MAX ? space : OTHERS;
      entry = this.#bySpace.get(name) ?? { operations: 0, busyMs: 0 };
      this.#bySpace.set(name, entry);
    }
    entry.operations += 1;
    entry.busyMs += tookMs;
  }

  taken(): SpaceBusy[] {
    return [...this.#bySpace].map(([space, { operations, busyMs }]) => ({
      space,
      operations,
      busy_ms: Math.round(busyMs * 1000) / 1000,
    }));
  }
}
