/** `POST /api/v1/memories/remember` and `…/remember/batch`. */
import { Elysia } from "elysia";
import { RequestError } from "../base/errors.ts";
import type { Ack, IfExists, Remembered, RememberInput } from "../engine/engine.ts";
import { OPERATION, STAGE } from "../layout/metric-codes.ts";
import type { ApiContext } from "./api-context.ts";
import { readEmbedding } from "./embedding-field.ts";
import { jsonResponse, rememberedFields } from "./json-text.ts";
import { checkContent, checkedTimeMs, metadataJson } from "./memory-fields.ts";
import { checkId } from "./memory-id.ts";
import { problemOf, report } from "./problem.ts";
import { queryFields } from "./query-fields.ts";
import { type CheckedMemory, type RememberContracts, rememberContracts } from "./remember.contract.ts";
import { batchDetail, rememberDetail } from "./remember.docs.ts";
import { mediaType, parseJson, readJson, readJsonText, readText, unsupported } from "./request-body.ts";
import { requestName } from "./request-watch.ts";
import { type Call, guarded, queryOf } from "./route.ts";
import type { ApiLimits } from "./settings.ts";

const ACCESS = { right: "write", spaced: true } as const;

export function rememberRoutes(api: ApiContext) {
  const contracts = rememberContracts(api.limits);
  return new Elysia({ name: "remember" })
    .post("/api/v1/memories/remember", guarded(api, ACCESS, remember(api, contracts)), {
      parse: "none",
      detail: rememberDetail(contracts),
    })
    .post("/api/v1/memories/remember/batch", guarded(api, ACCESS, rememberBatch(api, contracts)), {
      parse: "none",
      detail: batchDetail(contracts),
    });
}

function remember(api: ApiContext, contracts: RememberContracts) {
  const { meter, slow } = api.watch;
  return async ({ request, watched, space }: Call): Promise<Response> => {
    const text = await readJsonText(request, api.limits);
    const startedAtMs = meter.nowMs();
    const parsed = parseJson(text, api.limits, "The body", undefined);
    const body = contracts.checkedMemory.check(parsed, "The body");
    const input = rememberInput(body, "", api.limits, undefined);
    const trace = slow.begin(OPERATION.remember, space, startedAtMs, watched.context);
    try {
      const ack = body.ack ?? "fsync";
      const parsedAtMs = meter.nowMs();
      meter.stage(OPERATION.remember, STAGE.parse, parsedAtMs - startedAtMs);
      trace.stage(STAGE.parse, parsedAtMs - startedAtMs, parsedAtMs);
      trace.ack = ack;
      trace.memories = 1;
      const [result] = await api.engine.remember(space, [input], { ack, trace });
      if (result === undefined) throw new TypeError("the engine answers one result per memory");
      if (result instanceof Error) throw result;
      const rememberedAtMs = meter.nowMs();
      const response = jsonResponse(`{${rememberedFields(result)}}`, 201);
      const endedAtMs = meter.nowMs();
      meter.stage(OPERATION.remember, STAGE.serialise, endedAtMs - rememberedAtMs);
      trace.stage(STAGE.serialise, endedAtMs - rememberedAtMs, endedAtMs);
      slow.end(trace, endedAtMs);
      return response;
    } catch (error) {
      slow.end(trace, meter.nowMs(), error);
      throw error;
    }
  };
}

/** A batch as it came: its memories, unchecked, and where each stands in the request. */
type Batch = {
  readonly memories: readonly unknown[];
  readonly ack: Ack | undefined;
  readonly ifExists: IfExists | undefined;
  readonly place: (index: number) => string;
};

function rememberBatch(api: ApiContext, contracts: RememberContracts) {
  const { meter, slow } = api.watch;
  return async ({ request, watched, space }: Call): Promise<Response> => {
    const batch = await readBatch(request, contracts, api.limits);
    const startedAtMs = meter.nowMs();
    const results = new Array<string>(batch.memories.length);
    const inputs: RememberInput[] = [];
    const indexOfInput: number[] = [];
    const where = requestName(request);
    let failed = 0;
    const fail = (index: number, error: unknown, prefix: string) => {
      report(error, api.errors, where, api.requests.fieldsOf(watched, space));
      const found = problemOf(error);
      const problem = found.at === undefined ? found : { ...found, at: prefix + found.at };
      results[index] = `{"status":${problem.status},"error":${JSON.stringify(problem)}}`;
      failed++;
    };

    let ack: Ack = "memory";
    for (let i = 0; i < batch.memories.length; i++) {
      try {
        const memory = batch.memories[i];
        if (memory instanceof RequestError) throw memory;
        const at = batch.place(i);
        const checked = contracts.checkedMemory.check(memory, "The memory", at);
        inputs.push(rememberInput(checked, `${at}.`, api.limits, batch.ifExists));
        indexOfInput.push(i);
        ack = stronger(ack, checked.ack ?? batch.ack ?? "fsync");
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        fail(i, error, "");
      }
    }

    let remembered: readonly (Remembered | Error)[] = [];
    const trace = slow.begin(OPERATION.remember, space, startedAtMs, watched.context);
    try {
      const parsedAtMs = meter.nowMs();
      meter.stage(OPERATION.remember, STAGE.parse, parsedAtMs - startedAtMs);
      trace.stage(STAGE.parse, parsedAtMs - startedAtMs, parsedAtMs);
      trace.ack = ack;
      trace.memories = inputs.length;
      if (inputs.length > 0) remembered = await api.engine.remember(space, inputs, { ack, trace });
      slow.end(trace, meter.nowMs());
    } catch (error) {
      slow.end(trace, meter.nowMs(), error);
      throw error;
    }
    const rememberedAtMs = meter.nowMs();
    for (let i = 0; i < inputs.length; i++) {
      const result = remembered[i];
      const index = indexOfInput[i]!;
      if (result === undefined) throw new TypeError("the engine answers one result per memory");
      // The engine knows a memory by itself, not where it stood in the request.
      if (result instanceof Error) fail(index, result, `${batch.place(index)}.`);
      else results[index] = `{"status":201,${rememberedFields(result)}}`;
    }
    const stored = results.length - failed;
    const text = `{"results":[${results.join(",")}],"stored":${stored},"failed":${failed}}`;
    const response = jsonResponse(text, failed === 0 ? 201 : 207);
    meter.stage(OPERATION.remember, STAGE.serialise, meter.nowMs() - rememberedAtMs);
    return response;
  };
}

async function readBatch(request: Request, contracts: RememberContracts, limits: ApiLimits): Promise<Batch> {
  const type = mediaType(request);
  if (type === "application/json") {
    const body = contracts.checkedBatch.check(await readJson(request, limits), "The body");
    checkCount(body.memories.length, limits);
    const place = (index: number) => `memories[${index}]`;
    return { memories: body.memories, ack: body.ack, ifExists: body.if_exists, place };
  }
  if (type === "application/x-ndjson" || type === "application/jsonl") {
    const query = queryFields(queryOf(request.url), { ack: "text", if_exists: "text" });
    const defaults = contracts.checkedBatchQuery.check(query, "The query");
    const lines = (await readText(request, limits)).split("\n").filter((line) => line.trim() !== "");
    checkCount(lines.length, limits);
    const place = (index: number) => `line[${index + 1}]`;
    const memories = lines.map((line, index) => parseLine(line, place(index), limits));
    return { memories, ack: defaults.ack, ifExists: defaults.if_exists, place };
  }
  throw unsupported(type, "application/json, application/x-ndjson");
}

/** The memory of a line; its error where it is not JSON, so that the other lines are stored. */
function parseLine(line: string, at: string, limits: ApiLimits): unknown {
  try {
    return parseJson(line, limits, "The line", at);
  } catch (error) {
    return error;
  }
}

function checkCount(count: number, limits: ApiLimits): void {
  if (count === 0) {
    throw new RequestError({
      code: "request-invalid",
      message: "The batch is empty",
      at: "memories",
      expected: `1 to ${limits.batchCountMax} memories`,
      received: "none",
    });
  }
  if (count <= limits.batchCountMax) return;
  throw new RequestError({
    code: "batch-too-large",
    message: `The batch holds ${count} memories, and ${limits.batchCountMax} are taken at most`,
    at: "memories",
    expected: `at most ${limits.batchCountMax} memories`,
    received: `${count}`,
  });
}

/** A checked memory as the engine takes it. `prefix` goes before field names in errors: "memories[3]." */
function rememberInput(
  memory: CheckedMemory,
  prefix: string,
  limits: ApiLimits,
  ifExists: IfExists | undefined,
): RememberInput {
  checkContent(memory.content, `${prefix}content`, limits);
  if (memory.id !== undefined) checkId(memory.id, `${prefix}id`);
  return {
    content: memory.content,
    id: memory.id,
    embedding:
      memory.embedding === undefined ? undefined : readEmbedding(memory.embedding, `${prefix}embedding`),
    confidence: memory.confidence,
    timestampMs:
      memory.timestamp === undefined ? undefined : checkedTimeMs(memory.timestamp, `${prefix}timestamp`),
    tags: memory.tags,
    metadataJson:
      memory.metadata === undefined ? undefined : metadataJson(memory.metadata, `${prefix}metadata`, limits),
    ifExists: memory.if_exists ?? ifExists,
  };
}

const ACK_STRENGTH: Readonly<Record<Ack, number>> = { memory: 0, wal: 1, fsync: 2 };

/** A batch is one group of writes, so it gets the strongest durability that one of its memories asks for. */
function stronger(a: Ack, b: Ack): Ack {
  return ACK_STRENGTH[a] >= ACK_STRENGTH[b] ? a : b;
}
