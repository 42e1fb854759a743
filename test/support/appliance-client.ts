/**
 * The HTTP API as a test calls it: typed bodies, the status beside them, and no opinion on either.
 *
 * A connection that breaks rejects with the error of `fetch`; `isCut` tells it from a failed assertion.
 */
import type { z } from "zod";
import type { forgottenReply, listReply } from "../../src/api/memories.contract.ts";
import type { memoryReply, recallReply } from "../../src/api/recall.contract.ts";
import type { batchReply, problemReply, rememberedReply } from "../../src/api/remember.contract.ts";
import type { spaceReply } from "../../src/api/spaces.contract.ts";
import type { indexReply } from "../../src/api/vector-index.contract.ts";
import type { Ack, Health, IfExists, RecallMode } from "../../src/engine/engine.ts";

export type MemoryReply = z.output<typeof memoryReply>;
export type RememberedReply = z.output<typeof rememberedReply>;
export type BatchReply = z.output<typeof batchReply>;
export type RecallReply = z.output<typeof recallReply>;
export type ForgottenReply = z.output<typeof forgottenReply>;
export type ListReply = z.output<typeof listReply>;
export type SpaceReply = z.output<typeof spaceReply>;
export type IndexReply = z.output<typeof indexReply>;
export type Problem = z.output<typeof problemReply>;

export type NewMemory = {
  readonly content: string;
  readonly id?: string | undefined;
  readonly embedding?: Float32Array | undefined;
  readonly confidence?: number | undefined;
  readonly timestamp?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly ack?: Ack | undefined;
  readonly if_exists?: IfExists | undefined;
};

export type NewRecall = {
  readonly query?: string | undefined;
  readonly embedding?: Float32Array | undefined;
  readonly limit?: number | undefined;
  readonly mode?: RecallMode | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly min_confidence?: number | undefined;
  readonly threshold?: number | undefined;
  readonly explain?: boolean | undefined;
  readonly ef?: number | undefined;
  readonly as_of?: number | undefined;
  readonly fading?: "include" | "exclude" | undefined;
  readonly activation_seeds?: number | undefined;
  readonly activation_hops?: number | undefined;
  readonly meaning?: boolean | undefined;
  readonly activation_decay?: number | undefined;
  readonly activation_threshold?: number | undefined;
  readonly activation_visits?: number | undefined;
  readonly activation_time_ms?: number | undefined;
  readonly activation_weight?: number | undefined;
  readonly speaker_weight?: number | undefined;
};

/** `ok` says which of the two the body is. */
export type Reply<T> =
  | { readonly ok: true; readonly status: number; readonly body: T }
  | { readonly ok: false; readonly status: number; readonly body: Problem };

export type SpaceForgettingBody = { readonly curve?: string; readonly stability_hours?: number };

/** A problem where an answer was expected. */
export class UnexpectedProblem extends Error {
  override readonly name = "UnexpectedProblem";
  readonly problem: Problem;

  constructor(status: number, problem: Problem) {
    super(`${status} ${problem.code}: ${problem.detail}`);
    this.problem = problem;
  }
}

/** The body of a reply that has to be an answer. @throws {UnexpectedProblem} */
export function answered<T>(reply: Reply<T>): T {
  if (reply.ok) return reply.body;
  throw new UnexpectedProblem(reply.status, reply.body);
}

/** Whether a call failed because the connection did: refused, reset, or closed before the answer was whole. */
export function isCut(error: unknown): boolean {
  return error instanceof Error && typeof (error as { code?: unknown }).code === "string";
}

export class ApplianceClient {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** One call. @param space sent as X-Memory-Space */
  async call<T>(method: string, path: string, body?: unknown, space?: string): Promise<Reply<T>> {
    const headers: Record<string, string> = {};
    if (space !== undefined) headers["x-memory-space"] = space;
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await fetch(this.url + path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    const parsed = JSON.parse(await response.text());
    return { ok: response.ok, status: response.status, body: parsed };
  }

  remember(memory: NewMemory, space?: string): Promise<Reply<RememberedReply>> {
    return this.call("POST", "/api/v1/memories/remember", withBase64(memory), space);
  }

  /** A batch with failed memories is answered 207, which counts as an answer. */
  rememberBatch(
    memories: readonly NewMemory[],
    options: { readonly ack?: Ack; readonly if_exists?: IfExists } = {},
    space?: string,
  ): Promise<Reply<BatchReply>> {
    const body = { ...options, memories: memories.map(withBase64) };
    return this.call("POST", "/api/v1/memories/remember/batch", body, space);
  }

  recall(recall: NewRecall, space?: string): Promise<Reply<RecallReply>> {
    return this.call("POST", "/api/v1/memories/recall", withBase64(recall), space);
  }

  get(id: string, space?: string): Promise<Reply<MemoryReply>> {
    return this.call("GET", `/api/v1/memories/${encodeURIComponent(id)}`, undefined, space);
  }

  forget(id: string, ack: Ack = "fsync", space?: string): Promise<Reply<ForgottenReply>> {
    return this.call("DELETE", `/api/v1/memories/${encodeURIComponent(id)}?ack=${ack}`, undefined, space);
  }

  list(
    page: { readonly limit?: number; readonly cursor?: string | undefined } = {},
    space?: string,
  ): Promise<Reply<ListReply>> {
    const query = new URLSearchParams();
    if (page.limit !== undefined) query.set("limit", String(page.limit));
    if (page.cursor !== undefined) query.set("cursor", page.cursor);
    return this.call("GET", `/api/v1/memories?${query}`, undefined, space);
  }

  /** Every memory of a space, page by page, in the order of storing. */
  async listAll(space?: string, limit = 500): Promise<MemoryReply[]> {
    const memories: MemoryReply[] = [];
    let cursor: string | undefined;
    do {
      const page = answered(await this.list({ limit, cursor }, space));
      memories.push(...page.memories);
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return memories;
  }

  async spaces(): Promise<SpaceReply[]> {
    return answered(await this.call<{ spaces: SpaceReply[] }>("GET", "/api/v1/spaces")).spaces;
  }

  space(name: string): Promise<Reply<SpaceReply>> {
    return this.call("GET", `/api/v1/spaces/${name}`);
  }

  createSpace(spec: {
    readonly name: string;
    readonly dimensions?: number;
    readonly embedder?: string;
    readonly language?: string;
    readonly forgetting?: SpaceForgettingBody;
  }): Promise<Reply<SpaceReply>> {
    return this.call("POST", "/api/v1/spaces", spec);
  }

  updateSpace(
    name: string,
    update: { readonly forgetting: SpaceForgettingBody },
  ): Promise<Reply<SpaceReply>> {
    return this.call("PATCH", `/api/v1/spaces/${name}`, update);
  }

  deleteSpace(name: string): Promise<Reply<{ name: string; deleted: true }>> {
    return this.call("DELETE", `/api/v1/spaces/${name}`);
  }

  index(space?: string): Promise<Reply<IndexReply>> {
    return this.call("GET", "/api/v1/index", undefined, space);
  }

  rebuildIndex(
    figures: { readonly M?: number; readonly ef_construction?: number },
    space?: string,
  ): Promise<Reply<IndexReply>> {
    return this.call("POST", "/api/v1/index/rebuild", figures, space);
  }

  /** Health is answered with 503 when a part has failed; the body is the same. */
  async health(): Promise<Omit<Health, "uptimeSeconds">> {
    const response = await fetch(`${this.url}/api/v1/system/health`);
    return (await response.json()) as Health;
  }
}

/** The first stream's part of health, as `parts.log` and `parts.checkpoints` show it. */
export function streamDetail(
  health: Omit<Health, "uptimeSeconds">,
  part: "log" | "checkpoints",
): Readonly<Record<string, number | null>> {
  const { streams } = health.parts[part]!.detail as { streams: Record<string, number | null>[] };
  return streams[0]!;
}

/** f32 in base64 takes a fifth of the bytes of numbers, and arrives exactly. */
function withBase64<T extends { readonly embedding?: Float32Array | undefined }>(
  body: T,
): Omit<T, "embedding"> {
  const { embedding, ...rest } = body;
  if (embedding === undefined) return rest;
  const bytes = new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength);
  return { ...rest, embedding: bytes.toBase64() } as Omit<T, "embedding">;
}
