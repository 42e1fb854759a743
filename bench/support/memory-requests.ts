/**
 * Requests of the memory API, prepared beforehand, and the loading of a space with them.
 *
 * Embeddings travel as base64 of little-endian f32, which decodes in microseconds; as JSON numbers a vector
 * of 768 costs the server more than everything else (`embeddingNumbers` is there to measure that).
 */
import { getRequest, postRequest, runLoad } from "../../src/operate/load/http-load.ts";

const SPACES = "/api/v1/spaces";
export const REMEMBER = "/api/v1/memories/remember";
export const RECALL = "/api/v1/memories/recall";
const BATCH_MEMORIES = 500;

export type Target = { readonly host: string; readonly port: number };
export type StoredMemory = {
  readonly id?: string;
  readonly content: string;
  readonly embedding?: Float32Array;
};
export type SpaceFacts = {
  readonly memories: number;
  readonly indexed: number;
  readonly tail: number;
  readonly memory_bytes: number;
};

export function base64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}

export function memoryJson({ id, content, embedding }: StoredMemory): string {
  const fields = [`"content":${JSON.stringify(content)}`];
  if (id !== undefined) fields.push(`"id":${JSON.stringify(id)}`);
  if (embedding !== undefined) fields.push(`"embedding":"${base64(embedding)}"`);
  return `{${fields.join(",")}}`;
}

/** The same with the embedding as JSON numbers, as most clients send it. */
export function memoryJsonWithNumbers({ id, content, embedding }: StoredMemory): string {
  return JSON.stringify({ id, content, embedding: Array.from(embedding ?? []) });
}

export function rememberRequest(space: string, json: string): Uint8Array {
  return postRequest(REMEMBER, json, { "X-Memory-Space": space });
}

export function batchRequest(space: string, jsons: readonly string[], ack = "fsync"): Uint8Array {
  return postRequest(`${REMEMBER}/batch`, `{"ack":"${ack}","memories":[${jsons.join(",")}]}`, {
    "X-Memory-Space": space,
  });
}

export function recallRequest(
  space: string,
  fields: { embedding?: Float32Array; query?: string; ef?: number; limit?: number; mode?: string },
): Uint8Array {
  const { embedding, ...rest } = fields;
  const body = embedding === undefined ? rest : { embedding: base64(embedding), ...rest };
  return postRequest(RECALL, JSON.stringify(body), { "X-Memory-Space": space });
}

/** Sends one request on a connection of its own. @throws where the status is not a success */
export async function call<T>(target: Target, request: Uint8Array): Promise<T> {
  let text = "";
  let found = 0;
  await runLoad({
    host: target.host,
    port: target.port,
    connections: 1,
    requests: 1,
    request: () => request,
    onReply: (_, status, body) => {
      found = status;
      text = new TextDecoder().decode(body);
    },
  });
  if (found < 200 || found > 299) throw new Error(`The appliance answered ${found}: ${text.slice(0, 500)}`);
  return JSON.parse(text) as T;
}

export async function createSpace(target: Target, name: string): Promise<void> {
  await call(target, postRequest(SPACES, JSON.stringify({ name })));
}

export async function deleteSpace(target: Target, name: string): Promise<void> {
  await call(target, Buffer.from(`DELETE ${SPACES}/${name} HTTP/1.1\r\nHost: localhost\r\n\r\n`));
}

export async function spaceFacts(target: Target, name: string): Promise<SpaceFacts> {
  return call<SpaceFacts>(target, getRequest(`${SPACES}/${name}`));
}

/** Stores `count` memories in order, in batches on one connection. @throws where one was refused */
export async function store(
  target: Target,
  space: string,
  count: number,
  memoryAt: (index: number) => StoredMemory,
): Promise<void> {
  const batches = Math.ceil(count / BATCH_MEMORIES);
  await runLoad({
    host: target.host,
    port: target.port,
    connections: 1,
    requests: batches,
    request: (batch) => {
      const from = batch * BATCH_MEMORIES;
      const jsons: string[] = [];
      for (let i = from; i < Math.min(count, from + BATCH_MEMORIES); i++) jsons.push(memoryJson(memoryAt(i)));
      return batchRequest(space, jsons, "wal");
    },
    onReply: (_, status, body) => {
      if (status !== 201)
        throw new Error(`A batch was answered ${status}: ${Buffer.from(body).toString().slice(0, 500)}`);
    },
  });
}

/** Waits until every vector of the space is in its graph. */
export async function untilIndexed(target: Target, space: string): Promise<SpaceFacts> {
  for (;;) {
    const facts = await spaceFacts(target, space);
    if (facts.tail === 0) return facts;
    await Bun.sleep(100);
  }
}

/** Ids of a recall's answer, best first. */
export function recalledIds(body: Uint8Array): string[] {
  const reply = JSON.parse(Buffer.from(body).toString()) as { memories: { id: string }[] };
  return reply.memories.map(({ id }) => id);
}
