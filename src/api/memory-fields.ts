/** What the fields of a memory have to hold beside their contract: sizes, well-formed text, times that exist. */
import { RequestError } from "../base/errors.ts";
import type { ApiLimits } from "./settings.ts";
import { timeMs } from "./shared.contract.ts";

/** @throws {RequestError} `content-too-large`, `request-invalid` */
export function checkContent(content: string, at: string, limits: ApiLimits): void {
  // A UTF-16 unit takes at most 3 bytes of UTF-8, so most contents need no counting.
  if (content.length * 3 > limits.contentBytesMax) {
    const bytes = Buffer.byteLength(content);
    if (bytes > limits.contentBytesMax)
      throw tooLarge("content-too-large", at, bytes, limits.contentBytesMax);
  }
  checkWellFormed(content, at);
}

export function metadataJson(metadata: unknown, at: string, limits: ApiLimits): string {
  const text = JSON.stringify(metadata);
  if (text.length * 3 > limits.metadataBytesMax) {
    const bytes = Buffer.byteLength(text);
    if (bytes > limits.metadataBytesMax)
      throw tooLarge("metadata-too-large", at, bytes, limits.metadataBytesMax);
  }
  return text;
}

/** Half of a surrogate pair has no UTF-8 form: it would come back as another text than was stored. */
export function checkWellFormed(text: string, at: string): void {
  if (text.isWellFormed()) return;
  throw new RequestError({
    code: "request-invalid",
    message: `The body does not match its contract: ${at} holds half of a surrogate pair`,
    at,
    expected: "Unicode text",
    received: "half of a surrogate pair",
  });
}

export function checkedTimeMs(value: number | string, at: string): number {
  const ms = timeMs(value);
  if (Number.isFinite(ms)) return ms;
  throw new RequestError({
    code: "request-invalid",
    message: `The request does not match its contract: ${at} is no day or hour of the calendar`,
    at,
    expected: "a time that exists",
    received: JSON.stringify(value),
  });
}

function tooLarge(
  code: "content-too-large" | "metadata-too-large",
  at: string,
  bytes: number,
  bytesMax: number,
): RequestError {
  return new RequestError({
    code,
    message: `${at} has ${bytes} bytes, and ${bytesMax} are stored at most`,
    at,
    expected: `at most ${bytesMax} bytes`,
    received: `${bytes} bytes`,
  });
}
