/**
 * The requesting end of the write path: hands writes to the home writers through shared rings, and settles
 * promises when their replies come.
 *
 * One client per producer thread. It has a request ring and a reply ring with every writer, and one doorbell
 * that all writers ring when they replied. Rings have a fixed size; while one is full, callers wait in line,
 * at most `queueMax` of them, and beyond that are answered `overloaded`.
 */
import { RequestError } from "../base/errors.ts";
import type { TermList } from "../index/word-index-writer.ts";
import {
  ACK,
  IF_EXISTS,
  WRITE_REPLY,
  WRITE_REQUEST,
  WRITE_REQUEST_HEAD_BYTES,
} from "../layout/write-message.ts";
import type { Doorbell } from "../shm/doorbell.ts";
import type { RingConsumer, RingProducer } from "../shm/ring.ts";
import type { Ack, IfExists } from "./engine.ts";

export type WriteReply = { readonly outcome: number; readonly extra: number; readonly sequence: number };

export type WriteRequest = {
  readonly op: number;
  readonly spaceIndex: number;
  readonly spaceGeneration: number;
  readonly ack: Ack;
  readonly ifExists: IfExists;
  readonly payload: Uint8Array;
  readonly terms?: TermList | undefined;
  readonly tokenCount?: number;
};

/** The rings and doorbells between one producer and one writer. */
export type WriterLink = {
  readonly requests: RingProducer;
  readonly replies: RingConsumer;
  /** rung after requests were put in */
  readonly writerDoorbell: Doorbell;
};

type Ticket = {
  remaining: number;
  readonly replies: (WriteReply | undefined)[];
  readonly resolve: (replies: WriteReply[]) => void;
};

/** Most requests under way at once; a reply ring has room for as many replies (REPLY_RING_BYTES). */
const REPLIES_MAX = 16_384;

/** A reply ring holds REPLIES_MAX replies of 24 bytes, each with the ring's own head of at most 8. */
export const REPLY_RING_BYTES = 1024 * 1024;

export class WriteClient {
  readonly #links: readonly WriterLink[];
  readonly #doorbell: Doorbell;
  readonly #tickets = new Map<number, Ticket>();
  readonly #queueMax: number;
  #nextTicket = 1;
  #inFlight = 0;
  #waiting = 0;
  #roomWaiters: (() => void)[] = [];
  #listening = false;

  constructor(options: { links: readonly WriterLink[]; doorbell: Doorbell; queueMax: number }) {
    this.#links = options.links;
    this.#doorbell = options.doorbell;
    this.#queueMax = options.queueMax;
  }

  /** Requests sent and not answered yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Opens a ticket for `count` requests that are answered together. */
  open(count: number): { ticket: number; done: Promise<WriteReply[]> } {
    const ticket = this.#nextTicket;
    this.#nextTicket = (this.#nextTicket + 1) >>> 0 || 1;
    const { promise, resolve } = Promise.withResolvers<WriteReply[]>();
    this.#tickets.set(ticket, { remaining: count, replies: new Array(count), resolve });
    if (!this.#listening) this.#listen();
    return { ticket, done: promise };
  }

  /** Answers an item of a ticket from here, without asking the writer. */
  settle(ticket: number, item: number, reply: WriteReply): void {
    const open = this.#tickets.get(ticket);
    if (open === undefined) return;
    open.replies[item] = reply;
    open.remaining -= 1;
    if (open.remaining > 0) return;
    this.#tickets.delete(ticket);
    open.resolve(open.replies as WriteReply[]);
  }

  /**
   * Puts one request into the ring of a writer, if it has room.
   * Ring the writer's doorbell with `flush` once all requests at hand are in.
   */
  trySend(writer: number, ticket: number, item: number, request: WriteRequest): boolean {
    const terms = request.terms;
    const termCount = terms?.count ?? 0;
    const payloadBytes = request.payload.byteLength;
    const padded = (payloadBytes + 7) & ~7;
    if (this.#inFlight >= REPLIES_MAX) return false;
    const { requests } = this.#links[writer]!;
    const at = requests.reserve(WRITE_REQUEST_HEAD_BYTES + padded + termCount * 12);
    if (at < 0) return false;
    const { words, bytes } = requests;
    const word = at >>> 2;
    words[word + WRITE_REQUEST.op / 4] = request.op;
    words[word + WRITE_REQUEST.ticket / 4] = ticket;
    words[word + WRITE_REQUEST.item / 4] = item;
    words[word + WRITE_REQUEST.spaceIndex / 4] = request.spaceIndex;
    words[word + WRITE_REQUEST.spaceGeneration / 4] = request.spaceGeneration;
    words[word + WRITE_REQUEST.ack / 4] = ACK[request.ack] | (IF_EXISTS[request.ifExists] << 8);
    words[word + WRITE_REQUEST.payloadBytes / 4] = payloadBytes;
    words[word + WRITE_REQUEST.termCount / 4] = termCount;
    words[word + WRITE_REQUEST.tokenCount / 4] = request.tokenCount ?? 0;
    bytes.set(request.payload, at + WRITE_REQUEST_HEAD_BYTES);
    if (terms !== undefined) {
      let to = (at + WRITE_REQUEST_HEAD_BYTES + padded) >>> 2;
      for (let i = 0; i < termCount; i++) words[to++] = terms.los[i]!;
      for (let i = 0; i < termCount; i++) words[to++] = terms.his[i]!;
      for (let i = 0; i < termCount; i++) words[to++] = terms.frequencies[i]!;
    }
    requests.commit();
    this.#inFlight += 1;
    return true;
  }

  /** Wakes a writer that sleeps. */
  flush(writer: number): void {
    this.#links[writer]!.writerDoorbell.ring();
  }

  /** Resolves once a reply has made room likely. @throws {RequestError} `overloaded` when too many wait already */
  async room(): Promise<void> {
    if (this.#waiting >= this.#queueMax) {
      throw new RequestError({
        code: "overloaded",
        message: `${this.#waiting} writes wait for room in the write queue already`,
        retryAfterSeconds: 1,
      });
    }
    this.#waiting += 1;
    await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    this.#waiting -= 1;
  }

  /** Sends one request, waiting for room where there is none, and waits for its reply. */
  async request(writer: number, request: WriteRequest): Promise<WriteReply> {
    const { ticket, done } = this.open(1);
    while (!this.trySend(writer, ticket, 0, request)) {
      try {
        await this.room();
      } catch (error) {
        this.#tickets.delete(ticket);
        throw error;
      }
    }
    this.flush(writer);
    return (await done)[0]!;
  }

  /** Drops a ticket whose requests were never sent. */
  abandon(ticket: number): void {
    this.#tickets.delete(ticket);
  }

  async #listen(): Promise<void> {
    this.#listening = true;
    while (this.#tickets.size > 0) {
      // Read before draining: a ring in between makes the wait return at once.
      const seen = this.#doorbell.read();
      if (this.#drain() === 0) await this.#doorbell.waitAsync(seen);
    }
    this.#listening = false;
  }

  #drain(): number {
    let drained = 0;
    for (const { replies } of this.#links) {
      for (let at = replies.peek(); at >= 0; at = replies.peek()) {
        const word = at >>> 2;
        const { words } = replies;
        this.settle(words[word + WRITE_REPLY.ticket / 4]!, words[word + WRITE_REPLY.item / 4]!, {
          outcome: words[word + WRITE_REPLY.outcome / 4]!,
          extra: words[word + WRITE_REPLY.extra / 4]!,
          sequence: replies.numbers[(at + WRITE_REPLY.sequence) >>> 3]!,
        });
        replies.release();
        this.#inFlight -= 1;
        drained += 1;
      }
    }
    if (drained > 0 && this.#roomWaiters.length > 0) {
      const waiters = this.#roomWaiters;
      this.#roomWaiters = [];
      for (const wake of waiters) wake();
    }
    return drained;
  }
}
