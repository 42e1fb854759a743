/**
 * Settings that change while the appliance runs, as main sees to it: one change after the other, told to every thread
 * that hears messages, and done once each has said that it has it. Home writers hear none; what concerns them stands
 * in the process's facts.
 *
 * A thread that does not answer leaves everybody with the old values: those who have the new ones are told again.
 */
import { OperatorError } from "../base/errors.ts";
import { changesBetween, makeChanges, type SettingChange, undoing } from "../config/live-settings.ts";
import type { Settings } from "../config/schema.ts";
import { PROCESS_FACT } from "../layout/process-facts.ts";
import type { ToThread } from "./boot.ts";

/** Threads that start, or write a checkpoint, hear it later. */
const ANSWER_MS_MAX = 30_000;

type Means = {
  /** what runs now; changed in place */
  readonly settings: Settings;
  readonly facts: Float64Array;
  /** sends to each thread that hears, and answers how many those are */
  readonly tellAll: (message: ToThread) => number;
  /** @param changes that are in force now */
  readonly changed: (changes: readonly SettingChange[]) => void;
};

export class LiveSettings {
  readonly #means: Means;
  #version = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting: { readonly version: number; left: number; readonly done: () => void } | undefined;

  constructor(means: Means) {
    this.#means = means;
    this.#publish();
  }

  /** Makes changes that were checked; resolves when every thread has them. @throws {OperatorError} `settings-kept` */
  change(changes: readonly SettingChange[]): Promise<void> {
    const turn = this.#turn.then(() => this.#change(changes));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Makes of the running settings what others say, as far as it is live.
   * @returns what is in force now, and what is at the next start
   */
  async become(
    wanted: Settings,
  ): Promise<{ readonly changed: readonly SettingChange[]; readonly waiting: readonly SettingChange[] }> {
    const { live, waiting } = changesBetween(this.#means.settings, wanted);
    if (live.length > 0) await this.change(live);
    return { changed: live, waiting };
  }

  /** A thread has the settings of a version. */
  heard(version: number): void {
    const waiting = this.#waiting;
    if (waiting?.version !== version) return;
    waiting.left -= 1;
    if (waiting.left === 0) waiting.done();
  }

  async #change(changes: readonly SettingChange[]): Promise<void> {
    if (changes.length === 0) return;
    if (await this.#tell(changes)) {
      this.#means.changed(changes);
      return;
    }
    await this.#tell(undoing(changes));
    throw new OperatorError({
      code: "settings-kept",
      message: `The settings stay as they were: a thread did not take the new ones within ${ANSWER_MS_MAX / 1000} s`,
      remedy: "See which thread is silent: engram-appliance doctor; then try again",
    });
  }

  async #tell(changes: readonly SettingChange[]): Promise<boolean> {
    this.#version += 1;
    const version = this.#version;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const late = setTimeout(() => resolve(false), ANSWER_MS_MAX);
    makeChanges(this.#means.settings, changes);
    this.#publish();
    const waiting = { version, left: 0, done: () => resolve(true) };
    this.#waiting = waiting;
    waiting.left = this.#means.tellAll({ type: "settings", version, changes });
    const isDone = await promise;
    clearTimeout(late);
    this.#waiting = undefined;
    return isDone;
  }

  #publish(): void {
    const { settings, facts } = this.#means;
    facts[PROCESS_FACT.watched] = settings.monitoring.enabled ? 1 : 0;
    facts[PROCESS_FACT.flushIntervalMs] = settings.wal.flush_interval_ms;
    facts[PROCESS_FACT.syncsInBatches] = settings.wal.sync_mode === "batch" ? 1 : 0;
  }
}
