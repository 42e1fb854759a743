/**
 * Reads a request's body: media type, size, UTF-8, JSON, depth, in this order, each refused by its own code.
 *
 * Elysia's own body parser is switched off (`parse: "none"`), so that access is checked before a byte of a body
 * is looked at, and a body is parsed once.
 *
 * Depth: `JSON.parse` of JavaScriptCore keeps its own stack, so that two million nested arrays parse without an
 * overflow (measured); what would overflow is walking or printing them afterwards. Contracts bound the depth of
 * everything but metadata, so only metadata is walked, and never deeper than the limit.
 */
import { isUtf8 } from "node:buffer";
import { RequestError } from "../base/errors.ts";
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
  const type = mediaType(request);
  if (type !== "application/json") throw unsupported(type, "application/json");
  const text = await readText(request, limits);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notJson(text, cause, "The body", undefined);
  }
}

/** The body as text. @throws {RequestError} `body-too-large`, `json-invalid` when it is not UTF-8 */
export async function readText(request: Request, limits: ApiLimits): Promise<string> {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > limits.bodyBytesMax) throw tooLarge(Number(declared), limits);
  const bytes = await request.bytes();
  if (bytes.byteLength > limits.bodyBytesMax) throw tooLarge(bytes.byteLength, limits);
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

/** A `json-invalid` error that shows where the text stops being JSON. */
export function notJson(text: string, cause: unknown, what: string, at: string | undefined): RequestError {
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

/**
 * @param levelsAbove levels that hold `value`: 1 for a field of the body
 * @throws {RequestError} `json-too-deep`
 */
export function checkDepth(value: unknown, at: string, levelsAbove: number, limits: ApiLimits): void {
  if (deeperThan(value, limits.jsonDepthMax - levelsAbove)) {
    throw new RequestError({
      code: "json-too-deep",
      message: `${at} is nested deeper than ${limits.jsonDepthMax} levels of JSON`,
      at,
      expected: `at most ${limits.jsonDepthMax} levels, counted from the body`,
      received: "more",
    });
  }
}

/** Whether arrays and objects are nested more than `levels` deep. Recursion ends at `levels`. */
function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels <= 0) return true;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (deeperThan(value[i], levels - 1)) return true;
    return false;
  }
  const fields = value as Record<string, unknown>;
  for (const name in fields) if (deeperThan(fields[name], levels - 1)) return true;
  return false;
}

function tooLarge(bytes: number, limits: ApiLimits): RequestError {
  return new RequestError({
    code: "body-too-large",
    message: `The body has ${bytes} bytes, and ${limits.bodyBytesMax} are read at most`,
    expected: `at most ${limits.bodyBytesMax} bytes`,
    received: `${bytes} bytes`,
  });
}

function reason(cause: unknown): string {
  return cause instanceof Error
    ? cause.message.replace(/^JSON Parse error: /, "").slice(0, 120)
    : "it does not parse";
}
