/**
 * Tells the home writers what recalls brought up, so that it fades more slowly and what came up together is bound more
 * strongly (`cognition/use.ts`, `cognition/co-use.ts`). Off the way of the recall itself, which only hands over what
 * it answered: a quarter of a second's worth goes out at once, acknowledged from memory.
 *
 * Bounded: more recalls than RECALLS_MAX between two tellings teach nothing and are counted as passed over, and of
 * one recall only the best count. A memory that comes up several times meanwhile is told of once: massed repetition
 * hardly teaches.
 */
import { RequestError } from "../../base/errors.ts";
import type { Hash64 } from "../../base/hash64.ts";
import type { SpaceRoot } from "../space-table.ts";
import type { WriteClient } from "../write-client.ts";
import { hashText } from "../write-codec.ts";
import { type MindTarget, sendUses } from "./mind-client.ts";
import type { NodeUse } from "./use-request.ts";

export type UseReporterOptions = {
  readonly client: WriteClient;
  /** ms since the epoch */
  readonly wallClock: () => number;
  /** told how many recalls taught nothing: there were too many, or the writer took no more */
  readonly passedOver: (recalls: number) => void;
};

const TELL_MS = 250;
const RECALLS_MAX = 256;
/** Of one recall: what a caller who asked for hundreds has hardly looked at. */
const BEST_MAX = 10;
/** Recalls told of in one request: what they strengthen has to fit one record of the log. */
const RECALLS_PER_REQUEST = 32;

type Recall = { readonly memories: readonly { readonly id: string }[]; readonly atMs: number };

export class UseReporter {
  readonly #options: UseReporterOptions;
  /** by space, as it was found */
  readonly #waiting = new Map<string, { readonly target: MindTarget; readonly recalls: Recall[] }>();
  #waitingCount = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isTelling = false;

  constructor(options: UseReporterOptions) {
    this.#options = options;
  }

  /** A recall has answered these memories, the best first. */
  recalled(root: SpaceRoot, generation: number, memories: readonly { readonly id: string }[]): void {
    if (memories.length === 0) return;
    if (this.#waitingCount >= RECALLS_MAX) {
      this.#options.passedOver(1);
      return;
    }
    const key = `${root.spaceIndex}/${generation}`;
    let space = this.#waiting.get(key);
    if (space === undefined) {
      space = { target: { root, generation }, recalls: [] };
      this.#waiting.set(key, space);
    }
    space.recalls.push({ memories, atMs: this.#options.wallClock() });
    this.#waitingCount += 1;
    if (this.#timer === undefined && !this.#isTelling) this.#timer = setTimeout(() => this.#tell(), TELL_MS);
  }

  /** Tells no more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isTelling = true;
    this.#waiting.clear();
  }

  async #tell(): Promise<void> {
    this.#timer = undefined;
    this.#isTelling = true;
    const spaces = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#waitingCount = 0;
    for (const { target, recalls } of spaces) await this.#tellOf(target, recalls);
    this.#isTelling = false;
    if (this.#waitingCount > 0) this.#timer = setTimeout(() => this.#tell(), TELL_MS);
  }

  async #tellOf(target: MindTarget, recalls: readonly Recall[]): Promise<void> {
    const told = new Set<string>();
    for (let from = 0; from < recalls.length; from += RECALLS_PER_REQUEST) {
      const some = recalls.slice(from, from + RECALLS_PER_REQUEST);
      const uses = some.flatMap((recall, index) => usesOf(recall, index + 1, told));
      if (uses.length === 0) continue;
      try {
        await sendUses(this.#options.client, target, uses, "memory");
      } catch (error) {
        // No room on the disk or in the queue: what is not learned now is learned from another recall.
        if (!(error instanceof RequestError)) throw error;
        this.#options.passedOver(some.length);
      }
    }
  }
}

/** Uses of the memories that were not told of yet. */
function usesOf({ memories, atMs }: Recall, group: number, told: Set<string>): NodeUse[] {
  const uses: NodeUse[] = [];
  for (const { id } of memories.slice(0, BEST_MAX)) {
    if (told.has(id)) continue;
    told.add(id);
    const node: Hash64 = { low: 0, high: 0 };
    hashText(id, node);
    uses.push({ node, how: "retrieved", atMs, group });
  }
  return uses;
}
