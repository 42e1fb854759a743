/**
 * Describes calls for OpenAPI, from the contracts that they are checked with.
 *
 * `@elysiajs/swagger` prints zod's internals when it is handed a zod schema, and describes no errors. So it is handed
 * finished operations instead, in `detail`: parameters, body and replies are JSON Schemas that zod itself derives from
 * the contracts, and the errors come from the table of error codes. Routes carry no schema of their own, so that
 * Elysia checks nothing a second time.
 */
import type { DocumentDecoration } from "elysia";
import type { z } from "zod";
import { assert } from "../base/assert.ts";
import { ERROR_CODES, type RequestErrorCode } from "../base/error-codes.ts";
import { SPACE_NAME } from "../layout/space-name.ts";
import type { Right } from "../storage/key-store.ts";
import { type JsonSchema, jsonSchemaOf } from "./contract.ts";

export type Example = { readonly summary: string; readonly value: unknown };

export type Reply = {
  readonly description: string;
  readonly schema: z.ZodType;
  readonly example: unknown;
  /** JSON where absent */
  readonly mediaTypes?: readonly string[];
};

export type Operation = {
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** undefined: anyone may call */
  readonly right: Right | undefined;
  readonly spaced: boolean;
  readonly path?: { readonly name: string; readonly description: string };
  readonly query?: z.ZodObject;
  readonly body?: { readonly schema: z.ZodType; readonly examples: Readonly<Record<string, Example>> };
  /** the body may also come as one JSON object to a line */
  readonly ndjsonExample?: string;
  readonly replies: Readonly<Record<number, Reply>>;
  /** errors of this call beside those that every call may answer */
  readonly errors: readonly RequestErrorCode[];
};

/** The name of the security schemes in the document. */
export const BEARER = "bearer";
export const HEADER_KEY = "header_key";

/** What Elysia keeps beside a route and the plugin puts into the document. */
export function describeOperation(operation: Operation): DocumentDecoration {
  const detail = {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    description: [operation.description, rightText(operation)]
      .filter((part) => part !== undefined)
      .join("\n\n"),
    parameters: parametersOf(operation),
    ...(operation.body === undefined ? {} : { requestBody: requestBodyOf(operation) }),
    responses: responsesOf(operation),
    security: operation.right === undefined ? [] : [{ [BEARER]: [] }, { [HEADER_KEY]: [] }],
  };
  // Elysia's type asks for OpenAPI types of another minor version; the document is validated in the tests.
  return detail as unknown as DocumentDecoration;
}

function rightText({ right, spaced }: Operation): string {
  if (right === undefined) return "Open to anyone.";
  return spaced
    ? `Where keys are needed, takes one with the right \`${right}\` that opens the space.`
    : `Where keys are needed, takes one with the right \`${right}\`.`;
}

function parametersOf(operation: Operation): unknown[] {
  const parameters: unknown[] = [];
  if (operation.spaced) {
    parameters.push({
      name: "X-Memory-Space",
      in: "header",
      required: false,
      description: "The memory space; `default` where absent",
      schema: { type: "string", pattern: SPACE_NAME.source, default: "default" },
      example: "default",
    });
  }
  if (operation.path !== undefined) {
    parameters.push({
      name: operation.path.name,
      in: "path",
      required: true,
      description: operation.path.description,
      schema: { type: "string" },
    });
  }
  if (operation.query !== undefined) {
    const schema = jsonSchemaOf(operation.query);
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      const { description, ...rest } = field;
      parameters.push({
        name,
        in: "query",
        required: schema.required?.includes(name) ?? false,
        ...(description === undefined ? {} : { description }),
        schema: rest,
      });
    }
  }
  return parameters;
}

function requestBodyOf({ body, ndjsonExample }: Operation): unknown {
  assert(body !== undefined, "a body is described where there is one");
  const content: Record<string, unknown> = {
    "application/json": { schema: jsonSchemaOf(body.schema), examples: body.examples },
  };
  if (ndjsonExample !== undefined) {
    content["application/x-ndjson"] = {
      schema: { type: "string", description: "one JSON object to a line" },
      example: ndjsonExample,
    };
  }
  return { required: true, content };
}

const OF_EVERY_GUARDED = [
  "key-missing",
  "key-invalid",
  "right-missing",
  "host-refused",
  "origin-refused",
  "login-throttled",
  "headers-too-large",
  "shutting-down",
  "not-ready",
] as const satisfies readonly RequestErrorCode[];
const OF_EVERY_BODY = [
  "request-invalid",
  "json-invalid",
  "json-too-deep",
  "body-incomplete",
  "body-too-large",
  "media-type-unsupported",
] as const satisfies readonly RequestErrorCode[];

function responsesOf(operation: Operation): Record<string, unknown> {
  const responses: Record<string, unknown> = {};
  for (const [status, reply] of Object.entries(operation.replies)) {
    const content = { schema: jsonSchemaOf(reply.schema), example: reply.example };
    const mediaTypes = reply.mediaTypes ?? ["application/json"];
    responses[status] = {
      description: reply.description,
      content: Object.fromEntries(mediaTypes.map((type) => [type, content])),
    };
  }
  const codes = new Set<RequestErrorCode>(operation.errors);
  if (operation.right !== undefined) for (const code of OF_EVERY_GUARDED) codes.add(code);
  if (operation.spaced) for (const code of ["request-invalid", "space-forbidden"] as const) codes.add(code);
  if (operation.query !== undefined) codes.add("request-invalid");
  if (operation.body !== undefined) for (const code of OF_EVERY_BODY) codes.add(code);

  const byStatus = new Map<number, RequestErrorCode[]>();
  for (const code of codes) {
    const { status } = ERROR_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  for (const [status, group] of [...byStatus].sort(([a], [b]) => a - b)) {
    // A status that a reply has already (503 of readyz) keeps its own form.
    responses[status] ??= problemReplyOf(status, group);
  }
  if (operation.right !== undefined) {
    responses[500] = {
      description: `\`internal\`: ${ERROR_CODES.internal.summary}; or the code of what the operator has to mend`,
      content: { "application/problem+json": { schema: PROBLEM_REF } },
    };
  }
  return responses;
}

const PROBLEM_REF: JsonSchema = { $ref: "#/components/schemas/Problem" };

const HEADERS_OF_STATUS: Readonly<Record<number, Readonly<Record<string, unknown>>>> = {
  401: { "WWW-Authenticate": { schema: { type: "string" }, description: "Bearer" } },
  429: { "Retry-After": { schema: { type: "integer" }, description: "seconds to wait" } },
  503: { "Retry-After": { schema: { type: "integer" }, description: "seconds to wait, where it is known" } },
};

function problemReplyOf(status: number, codes: readonly RequestErrorCode[]): unknown {
  const examples: Record<string, Example> = {};
  for (const code of codes) {
    const { summary, remedy } = ERROR_CODES[code];
    examples[code] = {
      summary,
      value: { type: `/api/v1/docs#${code}`, title: summary, status, code, detail: summary, remedy },
    };
  }
  const headers = HEADERS_OF_STATUS[status];
  return {
    description: codes.map((code) => `\`${code}\`: ${ERROR_CODES[code].summary}`).join("; "),
    ...(headers === undefined ? {} : { headers }),
    content: { "application/problem+json": { schema: PROBLEM_REF, examples } },
  };
}
