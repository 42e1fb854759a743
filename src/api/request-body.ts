/**
 * Reads a request's body: media type, size, UTF-8, depth, JSON, in this order, each refused by its own code.
 *
 * Elysia's own body parser is switched off (`parse: "none"`), so that access is checked before a byte of a body
 * is looked at, and a body is parsed once.
 */
import { isUtf8 } from "node:buffer";
import { RequestError } from "../base/errors.ts";
import { nestedDeeperThan } from "./json-depth.ts";
import type { ApiLimits } from "./settings.ts";

/** @returns the media type without parameters, in lower case; empty where there is none */
export function mediaType(request: Request): string {
  const header = request.headers.get("content-type");
  if (header === null) return "";
  if (header === "application/json") return header;
  const end = header.indexOf(";");
  return (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
}

/**
 * The body as a JSON value, still unchecked.
 * @throws {RequestError} `media-type-unsupported`, `body-too-large`, `json-invalid`
 */
export async function readJson(request: Request, limits: ApiLimits): Promise<unknown> {
  return parseJson(await readJsonText(request, limits), limits, "The body", undefined);
}

/** The body of a request that says it is JSON. @throws {RequestError} `media-type-unsupported`, `body-too-large` */
export async function readJsonText(request: Request, limits: ApiLimits): Promise<string> {
  const type = mediaType(request);
  if (type !== "application/json") throw unsupported(type, "application/json");
  return readText(request, limits);
}

/** @throws {RequestError} `json-too-deep`, `json-invalid` */
export function parseJson(text: string, limits: ApiLimits, what: string, at: string | undefined): unknown {
  if (nestedDeeperThan(text, limits.jsonDepthMax)) {
    throw new RequestError({
      code: "json-too-deep",
      message: `${what} is nested deeper than ${limits.jsonDepthMax} levels of JSON`,
      expected: `at most ${limits.jsonDepthMax} levels`,
      received: "more",
      ...(at === undefined ? {} : { at }),
    });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notJson(text, cause, what, at);
  }
}

/** The body as text. @throws {RequestError} `body-too-large`, `json-invalid` when it is not UTF-8 */
export async function readText(request: Request, limits: ApiLimits): Promise<string> {
  const bytes = await readBytes(request, limits);
  if (!isUtf8(bytes)) {
    throw new RequestError({
      code: "json-invalid",
      message: "The body is not UTF-8",
      expected: "UTF-8",
      received: "bytes that are no UTF-8",
    });
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  // A byte order mark is allowed in UTF-8, and JSON.parse does not skip it.
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/**
 * A body of declared size is read at once. Another one (chunked) is counted while it comes, so that it is never held
 * beyond the limit.
 */
async function readBytes(request: Request, limits: ApiLimits): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > limits.bodyBytesMax) {
    throw tooLarge(`${declared} bytes`, limits);
  }
  try {
    return declared !== null || request.body === null
      ? await request.bytes()
      : await readCounted(request.body, limits);
  } catch (cause) {
    if (cause instanceof RequestError) throw cause;
    throw new RequestError({
      code: "body-incomplete",
      message: "The connection ended before the body did",
      expected: declared === null ? "a last chunk" : `${declared} bytes`,
      received: "less",
      cause,
    });
  }
}

async function readCounted(body: ReadableStream<Uint8Array>, limits: ApiLimits): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  for await (const chunk of body) {
    byteCount += chunk.byteLength;
    if (byteCount > limits.bodyBytesMax) throw tooLarge(`${byteCount} bytes so far`, limits);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, byteCount);
}

/** A `json-invalid` error that shows where the text stops being JSON. */
function notJson(text: string, cause: unknown, what: string, at: string | undefined): RequestError {
  const start = text.trimStart().slice(0, 40);
  return new RequestError({
    code: "json-invalid",
    message: text.trim() === "" ? `${what} is empty` : `${what} is not JSON: ${reason(cause)}`,
    expected: "a JSON object",
    received: start === "" ? "nothing" : `a text that begins with ${JSON.stringify(start)}`,
    ...(at === undefined ? {} : { at }),
    cause,
  });
}

export function unsupported(type: string, expected: string): RequestError {
  return new RequestError({
    code: "media-type-unsupported",
    message:
      type === "" ? "The request has no Content-Type" : `The body is ${type}, which the call does not read`,
    at: "Content-Type",
    expected,
    received: type === "" ? "absent" : type.slice(0, 128),
    remedy: `Send "Content-Type: ${expected.split(",")[0]}"`,
  });
}

function tooLarge(received: string, limits: ApiLimits): RequestError {
  return new RequestError({
    code: "body-too-large",
    message: `The body is larger than the ${limits.bodyBytesMax} bytes that are read at most`,
    expected: `at most ${limits.bodyBytesMax} bytes`,
    received,
  });
}

function reason(cause: unknown): string {
  return cause instanceof Error
    ? cause.message.replace(/^JSON Parse error: /, "").slice(0, 120)
    : "it does not parse";
}
