/**
 * The home writer: the only thread that changes the spaces homed on its NUMA node.
 *
 * It takes requests from one ring per producer and handles them in groups:
 *
 *   drain the rings ── decide ── reserve log room ── append ── apply ──▶ visible
 *        ▲                                                     │ ack=memory answered
 *        │                                                   write ── ack=wal answered
 *        │                                                     │
 *        └──────────────── ack=fsync answered ◀── sync ────────┘
 *
 * Room in the log is reserved before anything is changed: a full disk refuses the request and changes
 * nothing. A failing write or sync throws out of `run`, which stops the process: what was not acknowledged
 * may be lost then, what was acknowledged is in the log. While a group is synced, the next one gathers in
 * the rings, so groups grow with the load by themselves.
 */
import { assert } from "../base/assert.ts";
import { OperatorError, RequestError } from "../base/errors.ts";
import type { TermList } from "../index/word-index-writer.ts";
import { FORGET_HEAD_BYTES, LOG_KIND } from "../layout/log-payload.ts";
import { logRecordBytes } from "../layout/log-record.ts";
import { MIND_PAYLOAD_BYTES_MAX } from "../layout/mind-record.ts";
import { SPACE_STATE } from "../layout/space-root.ts";
import { STREAM_FACT, STREAM_STATE } from "../layout/stream-facts.ts";
import {
  ACK,
  IF_EXISTS,
  WRITE_OP,
  WRITE_OUTCOME,
  WRITE_REPLY,
  WRITE_REPLY_BYTES,
  WRITE_REQUEST,
  WRITE_REQUEST_HEAD_BYTES,
} from "../layout/write-message.ts";
import type { Doorbell } from "../shm/doorbell.ts";
import type { RingConsumer, RingProducer } from "../shm/ring.ts";
import type { Log } from "../storage/log.ts";
import { SILENT_WRITER_METER, type WriterMeter } from "./meters.ts";
import { compoundFault } from "./mind/compound.ts";
import { MindPlanner } from "./mind/mind-plan.ts";
import { SuccessionPlanner } from "./mind/succession.ts";
import { UsePlanner } from "./mind/use-plan.ts";
import { decodeUses } from "./mind/use-request.ts";
import { type Forgetting, forgettingOf } from "./space-forgetting.ts";
import type { SpaceKeeper } from "./space-keeper.ts";
import type { SpaceWriter } from "./space-writer.ts";
import { RememberView } from "./write-codec.ts";

/** The rings between the writer and one producer thread. */
export type ProducerLink = {
  readonly requests: RingConsumer;
  readonly replies: RingProducer;
  /** rung after replies were put in */
  readonly producerDoorbell: Doorbell;
};

export type HomeWriterOptions = {
  readonly log: Log;
  readonly keeper: SpaceKeeper;
  readonly links: readonly ProducerLink[];
  readonly doorbell: Doorbell;
  /** rung when there are new vectors to index; spaces are dealt out to the indexers by their index */
  readonly indexDoorbells: readonly Doorbell[];
  readonly facts: Float64Array;
  readonly syncMode: "immediate" | "batch";
  readonly flushIntervalMs: number;
  readonly memoriesMax: number;
  /** of spaces that have none of their own */
  readonly forgetting: Forgetting;
  readonly reconsolidation: { readonly enabled: boolean; readonly windowHours: number };
  /** the log's staging buffer: a group is closed when this much was gathered */
  readonly groupBytesMax: number;
  /** monotonic, ms */
  readonly now: () => number;
  /** ms since the epoch */
  readonly wallClock: () => number;
  /** called with each turn of the loop */
  readonly alive: () => void;
  /** hands a cut to whoever asked for a checkpoint */
  readonly onCut: (cut: StreamCut) => void;
  readonly meter?: WriterMeter;
};

/** Where a checkpoint may cut: what every space held when the log had this sequence. */
export type StreamCut = {
  readonly sequence: number;
  readonly spaces: readonly SpaceCut[];
};

export type SpaceCut = {
  readonly spaceIndex: number;
  readonly spaceId: number;
  readonly nodeCount: number;
  readonly termCount: number;
  readonly contentBytes: number;
  readonly forwardBytes: number;
};

type HeldReply = {
  link: ProducerLink;
  ticket: number;
  item: number;
  outcome: number;
  extra: number;
  sequence: number;
};

const IDLE_WAIT_MS = 50;
/** How often memory that nobody reads any more is given back while the thread never sleeps. */
const COLLECT_MS = 250;
/** Slots copied between two groups while a space is compacted, some 10 µs each. */
const COMPACT_SLOTS_IDLE = 128;
const COMPACT_SLOTS_BUSY = 16;

export class HomeWriter {
  readonly #options: HomeWriterOptions;
  readonly #meter: WriterMeter;
  readonly #memory = new RememberView();
  readonly #mindPlanner = new MindPlanner();
  readonly #usePlanner = new UsePlanner();
  readonly #succession = new SuccessionPlanner();
  /** replies that wait for the next write, and for the next sync */
  #untilWrite: HeldReply[] = [];
  #untilSync: HeldReply[] = [];
  #groupBytes = 0;
  #groupRecords = 0;
  #lastSyncAtMs: number;
  #collectedAtMs = 0;
  #stopping = false;
  /** new vectors were stored since the indexers were woken last */
  #indexDue = false;
  readonly #rung = new Set<ProducerLink>();

  constructor(options: HomeWriterOptions) {
    this.#options = options;
    this.#meter = options.meter ?? SILENT_WRITER_METER;
    this.#lastSyncAtMs = options.now();
  }

  /** Serves until a stop is asked for. Blocks the thread between requests. */
  run(): void {
    const { doorbell, facts, wallClock, alive, keeper } = this.#options;
    facts[STREAM_FACT.state] = STREAM_STATE.ready;
    while (!this.#stopping) {
      const seen = doorbell.read();
      const handled = this.#drain();
      this.#settle();
      const nowMs = wallClock();
      facts[STREAM_FACT.aliveAtMs] = nowMs;
      alive();
      // Also under a load that never lets the thread sleep: a compacted space's old image waits for it.
      if (Math.abs(nowMs - this.#collectedAtMs) >= COLLECT_MS) {
        keeper.collectRetired();
        this.#collectedAtMs = nowMs;
      }
      const compacted = keeper.compact(handled === 0 ? COMPACT_SLOTS_IDLE : COMPACT_SLOTS_BUSY);
      if (handled === 0 && !compacted) this.#sleep(seen);
    }
    this.#flush();
    facts[STREAM_FACT.state] = STREAM_STATE.stopped;
  }

  #sleep(seen: number): void {
    const { doorbell, log, keeper, now, flushIntervalMs } = this.#options;
    const unsynced = log.appendedSequence > log.syncedSequence;
    if (!unsynced) log.idle();
    keeper.collectRetired();
    const untilSync = flushIntervalMs - (now() - this.#lastSyncAtMs);
    doorbell.wait(seen, unsynced ? Math.max(0, Math.min(untilSync, IDLE_WAIT_MS)) : IDLE_WAIT_MS);
  }

  /** Handles what the rings hold, up to one group. @returns how many requests */
  #drain(): number {
    const { links, groupBytesMax } = this.#options;
    let handled = 0;
    for (;;) {
      let found = 0;
      for (const link of links) {
        const { requests } = link;
        // A few from each in turn, so that one busy producer does not hold up the others.
        for (let turn = 0; turn < 16; turn++) {
          const at = requests.peek();
          if (at < 0) break;
          this.#handle(link, at);
          requests.release();
          found += 1;
        }
      }
      handled += found;
      if (found === 0 || this.#groupBytes >= groupBytesMax) return handled;
    }
  }

  /** Writes and syncs as far as replies, or the interval, ask for it. */
  #settle(): void {
    const { log, syncMode, flushIntervalMs, now } = this.#options;
    // Also where nothing is left to write: a kept memory's answer may have waited for what was written before.
    if (this.#untilWrite.length + this.#untilSync.length > 0) this.#write();
    if (this.#untilSync.length > 0 || log.appendedSequence > log.syncedSequence) {
      const due = now() - this.#lastSyncAtMs >= flushIntervalMs;
      if (due || (syncMode === "immediate" && this.#untilSync.length > 0)) this.#flush();
    }
    this.#ring();
  }

  #write(): void {
    const { log, facts } = this.#options;
    log.write();
    facts[STREAM_FACT.writtenSequence] = log.writtenSequence;
    for (const held of this.#untilWrite) this.#reply(held);
    this.#untilWrite = [];
  }

  #flush(): void {
    const { log, facts, now } = this.#options;
    this.#write();
    const startedAtMs = now();
    if (log.writtenSequence > log.syncedSequence) {
      log.sync();
      const tookMs = now() - startedAtMs;
      this.#meter.flushed(tookMs, this.#groupRecords);
      facts[STREAM_FACT.syncedSequence] = log.syncedSequence;
      facts[STREAM_FACT.groupCount] = facts[STREAM_FACT.groupCount]! + 1;
      facts[STREAM_FACT.groupRecords] = facts[STREAM_FACT.groupRecords]! + this.#groupRecords;
      facts[STREAM_FACT.syncMs] = facts[STREAM_FACT.syncMs]! + tookMs;
      facts[STREAM_FACT.syncMsMax] = Math.max(facts[STREAM_FACT.syncMsMax]!, tookMs);
      facts[STREAM_FACT.diskBytes] = log.diskBytes;
    }
    this.#lastSyncAtMs = now();
    this.#groupBytes = 0;
    this.#groupRecords = 0;
    for (const held of this.#untilSync) this.#reply(held);
    this.#untilSync = [];
    this.#ring();
  }

  #handle(link: ProducerLink, at: number): void {
    const { words, bytes } = link.requests;
    const word = at >>> 2;
    const op = words[word + WRITE_REQUEST.op / 4]!;
    const flags = words[word + WRITE_REQUEST.ack / 4]!;
    const held: HeldReply = {
      link,
      ticket: words[word + WRITE_REQUEST.ticket / 4]!,
      item: words[word + WRITE_REQUEST.item / 4]!,
      outcome: WRITE_OUTCOME.done,
      extra: 0,
      sequence: 0,
    };
    const payloadBytes = words[word + WRITE_REQUEST.payloadBytes / 4]!;
    const payload = bytes.subarray(
      at + WRITE_REQUEST_HEAD_BYTES,
      at + WRITE_REQUEST_HEAD_BYTES + payloadBytes,
    );
    const ack = flags & 0xff;
    try {
      switch (op) {
        case WRITE_OP.remember:
          this.#remember(held, link, at, payload, (flags >>> 8) & 0xff);
          break;
        case WRITE_OP.forget:
          this.#forget(
            held,
            words[word + WRITE_REQUEST.spaceIndex / 4]!,
            words[word + WRITE_REQUEST.spaceGeneration / 4]!,
            payload,
          );
          break;
        case WRITE_OP.createSpace:
          this.#createSpace(held, payload);
          break;
        case WRITE_OP.deleteSpace:
          this.#deleteSpace(held, payload);
          break;
        case WRITE_OP.describeSpace:
          this.#describeSpace(
            held,
            words[word + WRITE_REQUEST.spaceIndex / 4]!,
            words[word + WRITE_REQUEST.spaceGeneration / 4]!,
            payload,
          );
          break;
        case WRITE_OP.rebuildIndex:
          this.#rebuildIndex(held, words[word + WRITE_REQUEST.spaceIndex / 4]!, payload);
          break;
        case WRITE_OP.mind:
          this.#mind(held, this.#spaceOf(link, at), payload);
          break;
        case WRITE_OP.use:
          this.#use(held, this.#spaceOf(link, at), payload);
          break;
        case WRITE_OP.cut:
          // What a checkpoint cuts at has to be durable before its manifest says so.
          this.#flush();
          this.#options.onCut(this.#options.keeper.cut(this.#options.log.appendedSequence));
          break;
        case WRITE_OP.truncate:
          this.#options.log.truncateBefore(
            new DataView(payload.buffer, payload.byteOffset).getFloat64(0, true),
          );
          break;
        case WRITE_OP.stop:
          this.#stopping = true;
          break;
        default:
          assert(false, `writers know the operation ${op}`);
      }
    } catch (error) {
      // Behind its record in the log a request can no longer be refused: recovery would do it after all.
      if (held.sequence !== 0) throw error;
      held.outcome = this.#refusalOf(error);
    }
    // Only what the log holds has to wait for it.
    if (held.sequence === 0 || ack === ACK.memory) this.#reply(held);
    else if (ack === ACK.wal) this.#untilWrite.push(held);
    else this.#untilSync.push(held);
  }

  /** The outcome of a request that could not be served though nothing is broken; anything else goes on up. */
  #refusalOf(error: unknown): number {
    if (error instanceof RequestError && error.code === "disk-full") {
      const { facts } = this.#options;
      facts[STREAM_FACT.diskFullCount] = facts[STREAM_FACT.diskFullCount]! + 1;
      facts[STREAM_FACT.diskFull] = 1;
      return WRITE_OUTCOME.diskFull;
    }
    // Memory is taken before the log is, so nothing has happened yet.
    if (error instanceof OperatorError && error.code === "memory-refused") return WRITE_OUTCOME.memoryRefused;
    throw error;
  }

  #remember(held: HeldReply, link: ProducerLink, at: number, payload: Uint8Array, ifExists: number): void {
    const { keeper, memoriesMax } = this.#options;
    const { words } = link.requests;
    const word = at >>> 2;
    const space = keeper.at(
      words[word + WRITE_REQUEST.spaceIndex / 4]!,
      words[word + WRITE_REQUEST.spaceGeneration / 4]!,
    );
    if (space === undefined) {
      held.outcome = WRITE_OUTCOME.spaceGone;
      return;
    }
    const memory = this.#memory.open(payload);
    const older = space.find({
      hashLow: memory.idHashLow,
      hashHigh: memory.idHashHigh,
      bytes: payload,
      at: memory.idAt,
      length: memory.idBytes,
    });
    if (memory.completesSlot >= 0) {
      if (older !== memory.completesSlot || !space.isPending(older)) {
        held.outcome = WRITE_OUTCOME.superseded;
        return;
      }
    } else if (older >= 0 && ifExists !== IF_EXISTS.replace) {
      held.outcome = ifExists === IF_EXISTS.keep ? WRITE_OUTCOME.kept : WRITE_OUTCOME.exists;
      // A kept memory may be one that is not durable yet, so the answer waits like a write.
      if (ifExists === IF_EXISTS.keep) held.sequence = this.#options.log.appendedSequence;
      return;
    }
    if (space.root.load("liveCount") >= memoriesMax || space.nodeCount >= space.slotsMax) {
      held.outcome = WRITE_OUTCOME.spaceFull;
      return;
    }
    space.prepare(memory.recordBytes);
    held.sequence = this.#append(LOG_KIND.remember, space.description.spaceId, payload);
    held.outcome = older >= 0 ? WRITE_OUTCOME.replaced : WRITE_OUTCOME.stored;

    const termCount = words[word + WRITE_REQUEST.termCount / 4]!;
    const termsAt = (at + WRITE_REQUEST_HEAD_BYTES + ((payload.byteLength + 7) & ~7)) >>> 2;
    const terms: TermList = {
      count: termCount,
      los: words.subarray(termsAt, termsAt + termCount),
      his: words.subarray(termsAt + termCount, termsAt + 2 * termCount),
      frequencies: words.subarray(termsAt + 2 * termCount, termsAt + 3 * termCount),
    };
    space.remember(memory, terms, words[word + WRITE_REQUEST.tokenCount / 4]!, held.sequence);
    this.#indexDue = true;
    if (older >= 0 && memory.completesSlot < 0) this.#succeed(held, space, older, memory);
  }

  /** Decides what a memory keeps of the one it has just replaced. */
  #succeed(held: HeldReply, space: SpaceWriter, older: number, memory: RememberView): void {
    const { enabled, windowHours } = this.#options.reconsolidation;
    if (!enabled) return;
    const { headers } = space.arenas;
    const node = { low: memory.idHashLow, high: memory.idHashHigh };
    const { storedAtMs: atMs, importance, valence } = memory;
    const plan = this.#succession.plan({ headers, older, node, atMs, importance, valence }, windowHours);
    if (plan === undefined) return;
    try {
      this.#compound(held, space, plan);
    } catch (error) {
      // The memory is stored. Without room for its own traits it takes over those of the older one, as it has.
      this.#refusalOf(error);
    }
  }

  #forget(held: HeldReply, spaceIndex: number, generation: number, payload: Uint8Array): void {
    const space = this.#options.keeper.at(spaceIndex, generation);
    if (space === undefined) {
      held.outcome = WRITE_OUTCOME.spaceGone;
      return;
    }
    if (space.findToForget(payload, FORGET_HEAD_BYTES) < 0) {
      held.outcome = WRITE_OUTCOME.notFound;
      return;
    }
    held.sequence = this.#append(LOG_KIND.forget, space.description.spaceId, payload);
    held.outcome = WRITE_OUTCOME.forgotten;
    space.forget(payload, FORGET_HEAD_BYTES, held.sequence);
  }

  #createSpace(held: HeldReply, payload: Uint8Array): void {
    const { keeper } = this.#options;
    const plan = keeper.planSpace(payload);
    if (typeof plan === "number") {
      held.outcome = plan;
      return;
    }
    held.sequence = this.#append(LOG_KIND.createSpace, plan.description.spaceId, plan.payload);
    held.extra = keeper.create(plan.description, held.sequence).root.spaceIndex;
  }

  #deleteSpace(held: HeldReply, payload: Uint8Array): void {
    const { keeper } = this.#options;
    const space = keeper.named(payload);
    if (space === undefined) {
      held.outcome = WRITE_OUTCOME.spaceGone;
      return;
    }
    held.sequence = this.#append(LOG_KIND.deleteSpace, space.description.spaceId, payload);
    keeper.delete(space);
  }

  #describeSpace(held: HeldReply, spaceIndex: number, generation: number, payload: Uint8Array): void {
    const { keeper } = this.#options;
    const space = keeper.at(spaceIndex, generation);
    if (space === undefined) {
      held.outcome = WRITE_OUTCOME.spaceGone;
      return;
    }
    held.sequence = this.#append(LOG_KIND.describeSpace, space.description.spaceId, payload);
    keeper.describe(space, payload, held.sequence);
  }

  #rebuildIndex(held: HeldReply, spaceIndex: number, payload: Uint8Array): void {
    const { keeper } = this.#options;
    const root = keeper.table.roots[spaceIndex]!;
    if (root.load("state") !== SPACE_STATE.open) {
      held.outcome = WRITE_OUTCOME.spaceGone;
      return;
    }
    const view = new DataView(payload.buffer, payload.byteOffset);
    root.publish("rebuildM", view.getUint32(0, true));
    root.publish("rebuildEfConstruction", view.getUint32(4, true));
    root.publish("rebuildRequested", root.load("rebuildRequested") + 1);
    held.extra = root.load("rebuildRequested");
    this.#indexDue = true;
  }

  #spaceOf({ requests }: ProducerLink, at: number): SpaceWriter | undefined {
    const word = at >>> 2;
    return this.#options.keeper.at(
      requests.words[word + WRITE_REQUEST.spaceIndex / 4]!,
      requests.words[word + WRITE_REQUEST.spaceGeneration / 4]!,
    );
  }

  #mind(held: HeldReply, space: SpaceWriter | undefined, payload: Uint8Array): void {
    if (space === undefined) {
      held.outcome = WRITE_OUTCOME.spaceGone;
      return;
    }
    const fault = compoundFault(payload);
    assert(fault === undefined, `senders send whole compounds: ${fault}`);
    const plan = this.#mindPlanner.plan(space.mind, payload);
    const { stored } = plan;
    const { memoriesMax } = this.#options;
    const isFull =
      space.root.load("liveCount") + stored > memoriesMax || space.nodeCount + stored > space.slotsMax;
    if (stored > 0 && isFull) {
      held.outcome = WRITE_OUTCOME.spaceFull;
      return;
    }
    if (stored > 0) space.prepare(plan.storedBytes, stored);
    space.mind.bindings.reserve(plan.bindingBytes);
    held.extra = plan.done;
    this.#compound(held, space, plan.payload);
    if (stored > 0) this.#indexDue = true;
  }

  #use(held: HeldReply, space: SpaceWriter | undefined, payload: Uint8Array): void {
    if (space === undefined) {
      held.outcome = WRITE_OUTCOME.spaceGone;
      return;
    }
    assert(payload.byteLength <= MIND_PAYLOAD_BYTES_MAX / 2, "what uses do fits one record of the log");
    const { payload: compound, done } = this.#usePlanner.plan(
      space.mind,
      decodeUses(payload),
      forgettingOf(space.root, this.#options.forgetting),
    );
    held.extra = done.reduce((sum, count) => sum + count, 0);
    const { facts } = this.#options;
    const changedSequence = facts[STREAM_FACT.changedSequence]!;
    this.#compound(held, space, compound);
    // Recalls alone should not have graphs written down again and again; the log keeps what they taught meanwhile.
    facts[STREAM_FACT.changedSequence] = changedSequence;
    space.mind.countUses(done);
    this.#meter.used(done);
  }

  /** Logs and applies what was planned; a plan with nothing in it is done already. */
  #compound(held: HeldReply, space: SpaceWriter, payload: Uint8Array): void {
    if (payload.byteLength === 0) return;
    held.sequence = this.#append(LOG_KIND.compound, space.description.spaceId, payload);
    this.#options.keeper.applier.apply(space, LOG_KIND.compound, payload, held.sequence);
  }

  #append(kind: number, spaceId: number, payload: Uint8Array): number {
    const { log, facts } = this.#options;
    const bytes = logRecordBytes(payload.byteLength);
    log.reserve(bytes);
    // What recalls teach is small and finds room where no memory does any more, so it says nothing of the disk.
    if (kind === LOG_KIND.remember) facts[STREAM_FACT.diskFull] = 0;
    const sequence = log.append(kind, spaceId, payload, 0, payload.byteLength);
    facts[STREAM_FACT.appendedSequence] = sequence;
    facts[STREAM_FACT.changedSequence] = sequence;
    facts[STREAM_FACT.appendedBytes] = facts[STREAM_FACT.appendedBytes]! + bytes;
    this.#meter.appended(bytes);
    this.#groupBytes += bytes;
    this.#groupRecords += 1;
    return sequence;
  }

  #reply(held: HeldReply): void {
    const { replies } = held.link;
    const at = replies.reserve(WRITE_REPLY_BYTES);
    assert(at >= 0, "a producer has no more requests under way than its reply ring has room for");
    const word = at >>> 2;
    replies.words[word + WRITE_REPLY.ticket / 4] = held.ticket;
    replies.words[word + WRITE_REPLY.item / 4] = held.item;
    replies.words[word + WRITE_REPLY.outcome / 4] = held.outcome;
    replies.words[word + WRITE_REPLY.extra / 4] = held.extra;
    replies.numbers[(at + WRITE_REPLY.sequence) >>> 3] = held.sequence;
    replies.commit();
    this.#rung.add(held.link);
  }

  /** Wakes every producer that got a reply, once. */
  #ring(): void {
    for (const link of this.#rung) link.producerDoorbell.ring();
    this.#rung.clear();
    if (this.#indexDue) for (const doorbell of this.#options.indexDoorbells) doorbell.ring();
    this.#indexDue = false;
  }
}
