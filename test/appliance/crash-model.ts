/**
 * What may be there after a crash, when some writes were acknowledged and some were under way.
 *
 *   attempt ──acknowledged durable──▶ certain        (what was tried before it is overwritten)
 *      │──acknowledged ack=memory──▶ may be there; certain after a clean stop
 *      │──refused──▶ forgotten
 *      └──no answer──▶ may be there
 *
 * Writes to one id come one after another, so after a crash an id holds what is certain of it, or one of the
 * attempts since. A version is a number; ABSENT is one too.
 */
import { assert } from "../../src/base/assert.ts";
import type { MemoryReply } from "../support/appliance-client.ts";
import { differenceOf, makeMemory, versionOf } from "./made-memory.ts";

export const ABSENT = 0;

type Attempt = { readonly version: number; acknowledged: boolean };
type Key = { certain: number; attempts: Attempt[] };
type Space = {
  readonly dimensions: number;
  certain: boolean;
  maybe: boolean;
  readonly keys: Map<string, Key>;
};

export class CrashModel {
  readonly #spaces = new Map<string, Space>();
  #lastVersion = 0;

  nextVersion(): number {
    return ++this.#lastVersion;
  }

  get spaceNames(): string[] {
    return [...this.#spaces.keys()];
  }

  dimensionsOf(space: string): number {
    return this.#of(space).dimensions;
  }

  /** A space that someone begins to make. */
  attemptSpace(name: string, dimensions: number): void {
    const before = this.#spaces.get(name);
    assert(before === undefined || !before.certain, "only a space that is gone is made again");
    this.#spaces.set(name, { dimensions, certain: false, maybe: true, keys: new Map() });
  }

  spaceMade(name: string): void {
    const space = this.#of(name);
    space.certain = true;
    space.maybe = true;
  }

  attemptDelete(name: string): void {
    this.#of(name).certain = false;
  }

  spaceDeleted(name: string): void {
    this.#spaces.delete(name);
  }

  attempt(space: string, id: string, version: number): Attempt {
    const key = this.#key(space, id);
    const attempt = { version, acknowledged: false };
    key.attempts.push(attempt);
    return attempt;
  }

  /** @param survives whether the durability acknowledged outlives the process */
  acknowledged(space: string, id: string, attempt: Attempt, survives: boolean): void {
    attempt.acknowledged = true;
    if (!survives) return;
    const key = this.#key(space, id);
    key.certain = attempt.version;
    key.attempts.splice(0, key.attempts.indexOf(attempt) + 1);
  }

  refused(space: string, id: string, attempt: Attempt): void {
    const key = this.#key(space, id);
    key.attempts.splice(key.attempts.indexOf(attempt), 1);
  }

  /** After a clean stop everything acknowledged is certain, whatever its durability was. */
  stoppedCleanly(): void {
    for (const { keys } of this.#spaces.values()) {
      for (const key of keys.values()) {
        const last = key.attempts.findLastIndex(({ acknowledged }) => acknowledged);
        if (last < 0) continue;
        key.certain = key.attempts[last]!.version;
        key.attempts.splice(0, last + 1);
      }
    }
  }

  /** What is wrong with the spaces found; they are certain afterwards. */
  observeSpaces(found: ReadonlySet<string>): string[] {
    const wrong: string[] = [];
    for (const [name, space] of this.#spaces) {
      if (found.has(name)) {
        if (!space.maybe) wrong.push(`space ${name} is there though it was never made`);
        space.certain = true;
      } else {
        if (space.certain) wrong.push(`space ${name} is missing`);
        this.#spaces.delete(name);
      }
    }
    for (const name of found)
      if (!this.#spaces.has(name)) wrong.push(`space ${name} is there and should not`);
    return wrong;
  }

  /** What is wrong with the memories found in a space; they are certain afterwards. */
  observe(name: string, found: readonly MemoryReply[]): string[] {
    const space = this.#of(name);
    const wrong: string[] = [];
    const byId = new Map<string, MemoryReply>();
    for (const memory of found) {
      if (byId.has(memory.id)) wrong.push(`${name}: ${memory.id} is listed twice`);
      byId.set(memory.id, memory);
      if (!space.keys.has(memory.id)) wrong.push(`${name}: ${memory.id} was never stored`);
    }
    for (const [id, key] of space.keys) {
      const memory = byId.get(id);
      const version = memory === undefined ? ABSENT : versionOf(memory);
      const possible = [key.certain, ...key.attempts.map((attempt) => attempt.version)];
      if (!possible.includes(version)) {
        wrong.push(`${name}: ${id} is version ${version}; it may be one of ${possible.join()} (0: absent)`);
      } else if (memory !== undefined) {
        const difference = differenceOf(makeMemory(name, id, version, space.dimensions), memory);
        if (difference !== undefined) wrong.push(`${name}: ${difference}`);
      }
      key.certain = version;
      key.attempts = [];
    }
    return wrong;
  }

  /** What is wrong with a memory read while others write: it has to be whole, whichever version it is. */
  observeOne(name: string, memory: MemoryReply): string | undefined {
    const space = this.#spaces.get(name);
    if (space === undefined) return undefined;
    return differenceOf(makeMemory(name, memory.id, versionOf(memory), space.dimensions), memory);
  }

  #key(space: string, id: string): Key {
    const { keys } = this.#of(space);
    let key = keys.get(id);
    if (key === undefined) {
      key = { certain: ABSENT, attempts: [] };
      keys.set(id, key);
    }
    return key;
  }

  #of(name: string): Space {
    const space = this.#spaces.get(name);
    assert(space !== undefined, "the space was made through the model");
    return space;
  }
}
