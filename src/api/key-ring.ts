/**
 * The API keys as one worker knows them: read from the file, read again when the file changes, and the keys that
 * were verified before.
 *
 * A hash takes some 20 ms, so a key is hashed once; after that its SHA-256 is compared, in constant time. What a key
 * may do is looked up in the file's records at each request, so revoking takes effect as soon as the file is read,
 * within a second.
 *
 * A file that vanishes or is damaged while we run never opens the API: the keys last read stay in force.
 */

import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { OperatorError } from "../base/errors.ts";
import {
  isLive,
  type KeyRecord,
  type KeySet,
  keysStamp,
  type ParsedKey,
  readKeys,
  verifyKey,
} from "../storage/key-store.ts";
import type { ErrorSink } from "./problem.ts";

const LOOK_EVERY_MS = 1000;
/** Hashes that may wait for their turn. One runs at a time, so their memory is that of one. */
const WAITING_MAX = 32;

export class KeyRing {
  readonly #dataDir: string;
  readonly #clock: Clock;
  readonly #errors: ErrorSink;
  #set: KeySet;
  /** stamp of a file that could not be used, so that it is reported once */
  #refusedStamp = "";
  #byId = new Map<string, KeyRecord>();
  #lookedAtMs: number;
  /** SHA-256 of each verified key, with the record it was verified against */
  readonly #verified = new Map<string, { readonly digest: Uint8Array; readonly hash: string }>();
  /** look-ups among the verified keys, and those that found one */
  readonly #counts = { requests: 0, hits: 0 };
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** @throws {OperatorError} `keys-damaged` */
  constructor(dataDir: string, clock: Clock, errors: ErrorSink) {
    this.#dataDir = dataDir;
    this.#clock = clock;
    this.#errors = errors;
    this.#lookedAtMs = clock.nowNs() / 1e6;
    this.#set = readKeys(dataDir);
    this.#take(this.#set);
  }

  /** Whether there is, or was, any key. */
  get hasKeys(): boolean {
    this.#look();
    return this.#byId.size > 0;
  }

  /** Look-ups of keys since the start, and those that found a key verified before. */
  get cacheCounts(): { readonly requests: number; readonly hits: number } {
    return this.#counts;
  }

  /** The live record of a key that was verified before; undefined where it has to be verified. */
  verified(key: ParsedKey): KeyRecord | undefined {
    const record = this.#known(key);
    this.#counts.requests += 1;
    if (record !== undefined) this.#counts.hits += 1;
    return record;
  }

  #known(key: ParsedKey): KeyRecord | undefined {
    const known = this.#verified.get(key.id);
    if (known === undefined) return undefined;
    const record = this.#byId.get(key.id);
    if (record === undefined || record.hash !== known.hash || !isLive(record, this.#clock.wallMs()))
      return undefined;
    return timingSafeEqual(known.digest, digestOf(key)) ? record : undefined;
  }

  /**
   * Hashes the key and compares. At most 32 wait for their turn.
   * @returns the live record, "wrong", or "busy" when too many are waiting
   */
  async verify(key: ParsedKey): Promise<KeyRecord | "wrong" | "busy"> {
    if (this.#waiting >= WAITING_MAX) return "busy";
    this.#waiting++;
    const turn = this.#turn.then(() => this.#known(key) ?? this.#hash(key));
    this.#turn = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting--;
    }
  }

  async #hash(key: ParsedKey): Promise<KeyRecord | "wrong"> {
    const record = this.#byId.get(key.id);
    if (!(await verifyKey(key, record)) || record === undefined) return "wrong";
    // The file may have been read again meanwhile: only what is in force now counts.
    const current = this.#byId.get(key.id);
    if (current === undefined || current.hash !== record.hash || !isLive(current, this.#clock.wallMs()))
      return "wrong";
    this.#verified.set(key.id, { digest: digestOf(key), hash: record.hash });
    return current;
  }

  #look(): void {
    const nowMs = this.#clock.nowNs() / 1e6;
    if (nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return;
    this.#lookedAtMs = nowMs;
    const stamp = keysStamp(this.#dataDir);
    if (stamp === this.#set.stamp || stamp === this.#refusedStamp) return;
    this.#refusedStamp = "";
    try {
      if (stamp === "none") throw vanished();
      this.#take(readKeys(this.#dataDir));
    } catch (error) {
      this.#refusedStamp = stamp;
      if (!(error instanceof OperatorError)) throw error;
      this.#errors.operator(error, "reading the API keys again");
    }
  }

  #take(set: KeySet): void {
    this.#set = set;
    this.#byId = new Map(set.keys.map((record) => [record.id, record]));
    for (const id of this.#verified.keys()) if (!this.#byId.has(id)) this.#verified.delete(id);
  }
}

function digestOf(key: ParsedKey): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(key.text).digest();
}

function vanished(): OperatorError {
  return new OperatorError({
    code: "keys-damaged",
    message: "The file of API keys is gone; the keys last read stay in force until a restart",
    remedy: "Restore keys.json in the data directory, or make a new key: engram-appliance key create",
  });
}
