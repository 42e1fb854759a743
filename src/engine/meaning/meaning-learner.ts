/**
 * Learns what the words of each space mean, a little at a time: called again and again by the background thread.
 *
 *   nothing learned ──▶ learning (one space at a time) ──▶ published, saved ──▶ new memories folded in, turn by turn
 *                              ▲                                   │
 *                              └── grown by `meaning.growth` ──────┘
 *
 * A space that was compacted or whose appliance was restarted takes up what it had learned from its file, with
 * the numbers that its terms have now. Only spaces of the built-in embedder learn: others have their meaning.
 *
 * It publishes and frees under epochs: a space is closed by its home writer, whose memory stays until nobody is
 * inside; what was published into it is given back by this thread once it has seen that the space is gone.
 */
import { OperatorError } from "../../base/errors.ts";
import { learnMeaning } from "../../cognition/meaning/learn.ts";
import { NATIVE_KERNELS } from "../../cognition/meaning/native-kernels.ts";
import { HASH_EMBEDDER_ID } from "../../embedding/hash-embedder.ts";
import { quantisedRows } from "../../ffi/meaning-fold.ts";
import type { EpochReader, Epochs } from "../../shm/epochs.ts";
import type { MemoryPolicy } from "../../shm/memory-policy.ts";
import { type Disk, DiskError } from "../../storage/disk.ts";
import type { SpaceTable } from "../space-table.ts";
import { MeaningFiles } from "./meaning-file.ts";
import { type MeaningContent, MeaningModel, rowsByTerm } from "./meaning-model.ts";
import type { MeaningSettings } from "./meaning-settings.ts";
import { SpaceGone, SpaceText } from "./space-text.ts";
import { sampleText } from "./text-sample.ts";

export type MeaningLearnerOptions = {
  readonly table: SpaceTable;
  readonly epoch: EpochReader;
  readonly epochs: Epochs;
  readonly settings: MeaningSettings;
  readonly policy: MemoryPolicy;
  readonly disk: Disk;
  readonly dataDirectory: string;
  /** monotonic, ms */
  readonly now: () => number;
  /** ms since the epoch */
  readonly wallClock: () => number;
  readonly log: (level: "info" | "warn", text: string) => void;
  /** told of every learning that ended: how long it worked, and whether it came to something */
  readonly onLearned: (workedMs: number, outcome: "ok" | "failed") => void;
};

/** What all spaces have learned. */
export type MeaningTotals = {
  readonly spaces: number;
  readonly terms: number;
  readonly memories: number;
  readonly bytes: number;
  /** of the one that learned longest ago; NaN while none has */
  readonly ageSeconds: number;
};

/** Seeds the random signs of every learning: equal texts give equal meanings. */
const SEED = 1990;
const FOLD_SLOTS = 512;
/** After a refusal of memory or disk, so that it is not tried again four times a second. */
const RETRY_MS = 60_000;

type Known = {
  readonly text: SpaceText;
  model: MeaningModel | undefined;
  /** whether its file is still to be looked at */
  isUnread: boolean;
  /** live memories when it learned last, or tried to */
  triedAt: number;
  tryAgainAtMs: number;
};
type Job = { readonly known: Known; readonly steps: Generator<void, void>; workedMs: number };

export class MeaningLearner {
  readonly #options: MeaningLearnerOptions;
  readonly #files: MeaningFiles;
  /** by index in the table */
  readonly #known: (Known | undefined)[] = [];
  #retired: { readonly model: MeaningModel; readonly epoch: number }[] = [];
  #job: Job | undefined;
  #isSwept = false;

  constructor(options: MeaningLearnerOptions) {
    this.#options = options;
    this.#files = new MeaningFiles(options.disk, options.dataDirectory);
  }

  /**
   * Works for about `budgetMs`: a few milliseconds longer where one step takes that.
   * @returns whether there is more to do at once
   */
  turn(budgetMs: number): boolean {
    if (!this.#options.settings.isEnabled) return false;
    const deadlineMs = this.#options.now() + budgetMs;
    this.#freeRetired();
    this.#meetSpaces();
    let isBehind = false;
    for (const known of this.#known) {
      if (known?.model !== undefined && this.#foldNew(known, deadlineMs)) isBehind = true;
    }
    while (this.#options.now() < deadlineMs) {
      this.#job ??= this.#nextJob();
      if (this.#job === undefined) return isBehind;
      this.#step(this.#job);
    }
    return true;
  }

  totals(): MeaningTotals {
    const sums = { spaces: 0, terms: 0, memories: 0, bytes: 0, ageSeconds: Number.NaN };
    for (const known of this.#known) {
      const model = known?.model;
      if (model === undefined) continue;
      sums.spaces += 1;
      sums.terms += model.content.gains.length;
      sums.memories += model.covered;
      sums.bytes += model.mappedBytes;
      const age = Math.max(0, (this.#options.wallClock() - model.content.learnedAtMs) / 1000);
      if (!(sums.ageSeconds > age)) sums.ageSeconds = age;
    }
    return sums;
  }

  /** Finds spaces that opened, and lets go of those that are gone. */
  #meetSpaces(): void {
    const { table, epoch } = this.#options;
    for (const root of table.roots) {
      const known = this.#known[root.spaceIndex];
      if (known !== undefined && !known.text.isCurrent) this.#letGo(known);
      if (this.#known[root.spaceIndex] !== undefined || !root.isOpen) continue;
      if (root.text("embedder") !== HASH_EMBEDDER_ID) continue;
      const text = epoch.inside(() => (root.isOpen ? new SpaceText(root, epoch) : undefined));
      if (text === undefined) continue;
      this.#known[root.spaceIndex] = {
        text,
        model: undefined,
        isUnread: true,
        triedAt: 0,
        tryAgainAtMs: 0,
      };
    }
    if (this.#isSwept) return;
    this.#isSwept = true;
    this.#onDisk(() => this.#files.sweep(this.#identities()));
  }

  #identities(): { readonly name: string; readonly createdAtMs: number }[] {
    return this.#options.table
      .open()
      .map((root) => ({ name: root.text("name"), createdAtMs: root.number("createdAtMs") }));
  }

  #letGo(known: Known): void {
    this.#known[known.text.root.spaceIndex] = undefined;
    if (this.#job?.known === known) this.#abandon();
    if (known.model !== undefined) this.#retire(known.model);
    const { name, createdAtMs } = known.text;
    // Compacted, it is open again under another index, and takes its file up there.
    const isThere = this.#identities().some((each) => each.name === name && each.createdAtMs === createdAtMs);
    if (!isThere) this.#onDisk(() => this.#files.remove(known.text));
  }

  /** @returns whether slots are left to fold in */
  #foldNew(known: Known, deadlineMs: number): boolean {
    const { now } = this.#options;
    const { root } = known.text;
    try {
      while (known.model!.covered < root.load("nodeCount")) {
        if (now() >= deadlineMs) return true;
        known.text.inside(() => known.model!.fold(root.load("nodeCount"), FOLD_SLOTS));
      }
    } catch (error) {
      if (!isRefusal(error) && !(error instanceof SpaceGone)) throw error;
    }
    return false;
  }

  /** A space whose file was not looked at yet, or the one that has grown most since it learned, if enough. */
  #nextJob(): Job | undefined {
    const unread = this.#known.find((known) => known?.isUnread);
    if (unread !== undefined) return { known: unread, steps: this.#restore(unread), workedMs: 0 };
    const grown = this.#mostGrown();
    return grown === undefined ? undefined : { known: grown, steps: this.#learn(grown), workedMs: 0 };
  }

  #mostGrown(): Known | undefined {
    const { settings, now } = this.#options;
    const nowMs = now();
    let chosen: Known | undefined;
    let mostGrown = 1 + settings.growth;
    for (const known of this.#known) {
      if (known === undefined || nowMs < known.tryAgainAtMs) continue;
      const live = known.text.liveTexts;
      if (live < settings.memoriesMin) continue;
      const grown = known.triedAt === 0 ? Number.POSITIVE_INFINITY : live / known.triedAt;
      if (grown < mostGrown) continue;
      chosen = known;
      mostGrown = grown;
      if (grown === Number.POSITIVE_INFINITY) break;
    }
    return chosen;
  }

  #step(job: Job): void {
    const { now, log, onLearned } = this.#options;
    const startedAtMs = now();
    try {
      if (job.steps.next().done === true) this.#job = undefined;
    } catch (error) {
      this.#job = undefined;
      if (error instanceof SpaceGone) return;
      if (!isRefusal(error)) throw error;
      job.known.tryAgainAtMs = now() + RETRY_MS;
      onLearned(job.workedMs, "failed");
      log("warn", `the space ${job.known.text.name} did not learn: ${error.message}`);
    } finally {
      job.workedMs += now() - startedAtMs;
    }
  }

  /** Takes up what the space had learned before a restart or a compaction. */
  *#restore(known: Known): Generator<void, void> {
    known.isUnread = false;
    const { text } = known;
    const found = this.#onDisk(() => this.#files.load(text));
    if (found === undefined) return;
    if ("damage" in found) {
      this.#options.log(
        "warn",
        `what the space ${text.name} had learned can not be used (${found.damage}); it is learned anew`,
      );
      return;
    }
    yield;
    yield* this.#install(known, found);
    known.triedAt = found.learnedFrom;
  }

  *#learn(known: Known): Generator<void, void> {
    const { settings, now, wallClock, log, onLearned } = this.#options;
    const { text } = known;
    known.triedAt = Math.max(1, text.liveTexts);
    known.tryAgainAtMs = now() + settings.restMs;
    const version = 1 + (known.model?.content.version ?? 0);
    const sample = yield* sampleText(text, settings);
    const { dimensionsMax } = settings;
    const learned = yield* learnMeaning(sample.texts, {
      dimensionsMax,
      seed: SEED,
      kernels: NATIVE_KERNELS,
    });
    if (learned === undefined) return;
    const content: MeaningContent = {
      version,
      dimensions: learned.dimensions,
      contextGain: learned.contextGain,
      learnedFrom: known.triedAt,
      learnedAtMs: wallClock(),
      hashes: sample.hashes,
      gains: sample.gains,
      vectors: quantisedRows(learned.vectors, learned.dimensions),
    };
    yield;
    yield* this.#install(known, content);
    this.#onDisk(() => this.#files.save(text, content));
    known.tryAgainAtMs = now() + settings.restMs;
    const workedMs = this.#job?.workedMs ?? 0;
    onLearned(workedMs, "ok");
    log(
      "info",
      `the space ${text.name} learned what ${content.gains.length} words mean from ${sample.texts.textCount} memories in ${workedMs.toFixed(0)} ms`,
    );
  }

  /** Makes the model of a content, folds the memories in, and shows it to readers. */
  *#install(known: Known, content: MeaningContent): Generator<void, void> {
    const { text } = known;
    const { root } = text;
    let made: MeaningModel | undefined = text.inside(
      () =>
        new MeaningModel(root, content, rowsByTerm(content, root.load("termCount"), text.termIndex), {
          purpose: `space ${text.name}`,
          policy: this.#options.policy,
        }),
    );
    try {
      while (made.covered < root.load("nodeCount")) {
        yield;
        text.inside(() => made!.fold(root.load("nodeCount"), FOLD_SLOTS));
      }
      text.inside(() => made!.publish(root));
      const before = known.model;
      known.model = made;
      made = undefined;
      if (before !== undefined) this.#retire(before);
    } finally {
      // Nobody has seen it, where it came to nothing.
      made?.free();
    }
  }

  #abandon(): void {
    this.#job?.steps.return();
    this.#job = undefined;
  }

  #retire(model: MeaningModel): void {
    this.#retired.push({ model, epoch: this.#options.epochs.advance() });
  }

  #freeRetired(): void {
    if (this.#retired.length === 0) return;
    this.#retired = this.#retired.filter(({ model, epoch }) => {
      if (!this.#options.epochs.isPast(epoch)) return true;
      model.free();
      return false;
    });
  }

  /** What is on disk is derived: what goes wrong there is told, and learned anew one day. */
  #onDisk<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#options.log("warn", `what was learned could not be kept: ${error.message}`);
      return undefined;
    }
  }
}

function isRefusal(error: unknown): error is OperatorError {
  return error instanceof OperatorError && error.code === "memory-refused";
}
