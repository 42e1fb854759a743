/**
 * Silences: alerts that match one are shown and not delivered, until a time.
 *
 * They are kept in `<data>/silences`, a file that is replaced as a whole: whoever answers the API changes it under a
 * lock, and everybody sees the change by the file's stamp. The lock is the kernel's, on a file of its own, so a process
 * that is killed lets it go.
 */

import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { z } from "zod";
import { RequestError } from "../../base/errors.ts";
import type { Disk } from "../../storage/disk.ts";
import { readWholeFile, replaceWholeFile, type WholeFile } from "../../storage/whole-file.ts";
import { type Matcher, type MatchOperator, makeMatcher } from "../promql/matcher.ts";

export const SILENCES_MAX = 200;
/** Those that ended are shown for so long. */
const ENDED_SHOWN_MS = 24 * 3_600_000;
const LOCK_TRIES = 100;
const LOCK_PAUSE_MS = 10;

const matcherSchema = z.strictObject({
  name: z.string(),
  operator: z.enum(["=", "!=", "=~", "!~"]),
  value: z.string(),
});
const silenceSchema = z.strictObject({
  id: z.string(),
  matchers: z.array(matcherSchema).min(1),
  createdAtMs: z.number(),
  untilMs: z.number(),
  author: z.string(),
  comment: z.string(),
});
const fileSchema = z.array(silenceSchema);

export type SilenceMatcher = z.output<typeof matcherSchema>;
export type Silence = z.output<typeof silenceSchema>;
export type NewSilence = Omit<Silence, "id" | "createdAtMs">;

/** A silence with its matchers compiled. */
type Known = { readonly silence: Silence; readonly matchers: readonly Matcher[] };

export class Silences {
  readonly #disk: Disk;
  readonly #file: WholeFile;
  readonly #sleep: (ms: number) => Promise<void>;
  #known: readonly Known[] = [];
  #stamp = "";
  /** what is wrong with the file; undefined while nothing is */
  damage: string | undefined;

  constructor(disk: Disk, directory: string, sleep: (ms: number) => Promise<void>) {
    this.#disk = disk;
    this.#file = { disk, directory, name: "silences", what: "silences", format: 1 };
    this.#sleep = sleep;
  }

  /** All, the newest first, those that ended lately included. */
  all(): Silence[] {
    this.#refresh();
    return this.#known.map(({ silence }) => silence).sort((a, b) => b.createdAtMs - a.createdAtMs);
  }

  /** Ids of the silences that hold for an alert now. */
  holdingFor(labels: Readonly<Record<string, string>>, nowMs: number): string[] {
    this.#refresh();
    return this.#known.flatMap(({ silence, matchers }) =>
      nowMs < silence.untilMs && matchers.every((each) => each.matches(labels[each.name] ?? ""))
        ? [silence.id]
        : [],
    );
  }

  /** @throws {RequestError} `silences-full`, `overloaded` */
  async add(wanted: NewSilence, nowMs: number): Promise<Silence> {
    const silence: Silence = { ...wanted, id: randomBytes(8).toString("hex"), createdAtMs: nowMs };
    await this.#change(nowMs, (silences) => {
      if (silences.filter(({ untilMs }) => untilMs > nowMs).length >= SILENCES_MAX) {
        throw new RequestError({
          code: "silences-full",
          message: `There are ${SILENCES_MAX} silences already`,
          expected: `at most ${SILENCES_MAX} silences that have not ended`,
        });
      }
      return [...silences, silence];
    });
    return silence;
  }

  /** Ends a silence now. @throws {RequestError} `silence-not-found`, `overloaded` */
  async end(id: string, nowMs: number): Promise<Silence> {
    let ended: Silence | undefined;
    await this.#change(nowMs, (silences) =>
      silences.map((each) => {
        if (each.id !== id || each.untilMs <= nowMs) return each;
        ended = { ...each, untilMs: nowMs };
        return ended;
      }),
    );
    if (ended !== undefined) return ended;
    throw new RequestError({
      code: "silence-not-found",
      message: "No silence that has not ended has this id",
      at: "id",
      received: JSON.stringify(id.slice(0, 64)),
    });
  }

  async #change(nowMs: number, change: (silences: readonly Silence[]) => Silence[]): Promise<void> {
    const lock = this.#disk.openOrCreate(`${this.#file.directory}/silences.lock`);
    try {
      for (let tries = 1; !this.#disk.lock(lock); tries++) {
        if (tries === LOCK_TRIES) {
          throw new RequestError({
            code: "overloaded",
            message: "The silences are being changed by others, again and again",
            retryAfterSeconds: 1,
          });
        }
        await this.#sleep(LOCK_PAUSE_MS);
      }
      this.#stamp = "";
      this.#refresh();
      if (this.damage !== undefined) this.#keepAside();
      const changed = change(this.#known.map(({ silence }) => silence));
      const kept = changed.filter(({ untilMs }) => untilMs > nowMs - ENDED_SHOWN_MS);
      replaceWholeFile(this.#file, kept);
    } finally {
      this.#disk.close(lock);
    }
    this.#refresh();
  }

  /** A damaged file is not overwritten: somebody may want to know what was silenced. */
  #keepAside(): void {
    const { directory, name } = this.#file;
    this.#disk.rename(`${directory}/${name}`, `${directory}/${name}.broken`);
  }

  #refresh(): void {
    const { directory, name } = this.#file;
    const found = statSync(`${directory}/${name}`, { throwIfNoEntry: false, bigint: true });
    const stamp = found === undefined ? "none" : `${found.ino}-${found.size}-${found.mtimeNs}`;
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    this.#known = this.#read().map((silence) => ({
      silence,
      matchers: silence.matchers.map(({ name, operator, value }) =>
        makeMatcher(name, operator as MatchOperator, value),
      ),
    }));
  }

  /** Alerts that ring although somebody silenced them are better than none that ring: damage means no silences. */
  #read(): Silence[] {
    this.damage = undefined;
    const found = readWholeFile(this.#file);
    if (found.state === "missing") return [];
    if (found.state === "newer") this.damage = `its format ${found.format} is newer than this program`;
    else if (found.state === "damaged") this.damage = found.found;
    else {
      const parsed = fileSchema.safeParse(found.value);
      if (parsed.success) return parsed.data;
      this.damage = "it does not have the form of a file of silences";
    }
    return [];
  }
}
