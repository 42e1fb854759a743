/**
 * Which trace a request belongs to, as W3C Trace Context has it: taken from the headers `traceparent` and `tracestate`,
 * or begun here.
 *
 *   traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *                version, trace, span of the caller, flags (bit 0: sampled)
 *
 * What the caller sampled is sampled here, too, and what it did not is not; a trace that begins here is sampled by
 * chance. A header that breaks the rules is as good as none. https://www.w3.org/TR/trace-context/
 */
import type { Random } from "./random.ts";

const SAMPLED = 1;
/** Later versions may have more behind the flags, set off by another hyphen. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const TRACESTATE_CHARS_MAX = 512;
const TRACESTATE_MEMBERS_MAX = 32;
const MEMBER =
  /^(?:[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** Headers for a request that goes out on behalf of one that came in. */
export type OutgoingTrace = { readonly traceparent: string; readonly tracestate: string | undefined };

export class TraceContext {
  /** 32 hexadecimal digits */
  readonly traceId: string;
  /** of the request's own span, 16 hexadecimal digits */
  readonly spanId: string;
  /** of the caller's span; undefined where the trace begins here */
  readonly parentId: string | undefined;
  readonly isSampled: boolean;
  /** as it came; undefined where there was none */
  readonly tracestate: string | undefined;
  /** for spans below it */
  readonly newSpanId: () => string;

  constructor(parts: Omit<TraceContext, "traceparent" | "outgoing">) {
    this.traceId = parts.traceId;
    this.spanId = parts.spanId;
    this.parentId = parts.parentId;
    this.isSampled = parts.isSampled;
    this.tracestate = parts.tracestate;
    this.newSpanId = parts.newSpanId;
  }

  /** As a header that names this request's span. */
  get traceparent(): string {
    return traceparentOf(this.traceId, this.spanId, this.isSampled);
  }

  /** For a request that goes out from `spanId`, a span below this one. */
  outgoing(spanId: string): OutgoingTrace {
    return {
      traceparent: traceparentOf(this.traceId, spanId, this.isSampled),
      tracestate: this.tracestate,
    };
  }
}

/** Makes the contexts of a thread's requests. */
export class TraceContexts {
  readonly #random: Random;
  readonly #sampleRatio: number;

  /** @param sampleRatio of traces that begin here, 0 to 1 */
  constructor(random: Random, sampleRatio: number) {
    this.#random = random;
    this.#sampleRatio = sampleRatio;
  }

  readonly #newSpanId = (): string => {
    // All zeros would be no id; a bit that is always set costs less than looking.
    return hex8(this.#random.u32() | 1) + hex8(this.#random.u32());
  };

  of(headers: Headers): TraceContext {
    const parent = parentOf(headers.get("traceparent"));
    const newSpanId = this.#newSpanId;
    const spanId = newSpanId();
    if (parent !== undefined) {
      const tracestate = tracestateOf(headers.get("tracestate"));
      return new TraceContext({ ...parent, spanId, tracestate, newSpanId });
    }
    return new TraceContext({
      traceId: newSpanId() + newSpanId(),
      spanId,
      parentId: undefined,
      isSampled: this.#sampleRatio > 0 && this.#random.float() < this.#sampleRatio,
      tracestate: undefined,
      newSpanId,
    });
  }
}

function traceparentOf(traceId: string, spanId: string, isSampled: boolean): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

function parentOf(
  header: string | null,
): Pick<TraceContext, "traceId" | "parentId" | "isSampled"> | undefined {
  if (header === null) return undefined;
  const found = TRACEPARENT.exec(header.trim());
  if (found === null) return undefined;
  const [, version, traceId, parentId, flags, more] = found as unknown as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ];
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  return { traceId, parentId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** @returns undefined for a list that breaks the rules, which is dropped as a whole */
function tracestateOf(header: string | null): string | undefined {
  if (header === null || header.length > TRACESTATE_CHARS_MAX) return undefined;
  const members = header
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
  if (members.length === 0 || members.length > TRACESTATE_MEMBERS_MAX) return undefined;
  if (!members.every((member) => MEMBER.test(member))) return undefined;
  const keys = new Set(members.map((member) => member.slice(0, member.indexOf("="))));
  return keys.size === members.length ? members.join(",") : undefined;
}

function hex8(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
