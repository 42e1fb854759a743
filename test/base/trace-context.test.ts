import { describe, expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { TraceContexts } from "../../src/base/trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

function contextOf(headers: Record<string, string>, ratio = 0) {
  return new TraceContexts(new Random(7), ratio).of(new Headers(headers));
}

describe("TraceContexts", () => {
  test("TraceContexts.of takes the caller's trace, its decision to sample and its state", () => {
    const context = contextOf({
      traceparent: `00-${TRACE}-${SPAN}-01`,
      tracestate: "congo=t61rcWkgMzE , rojo=00f067aa0ba902b7,, t@v=a b",
    });
    expect(context.traceId).toBe(TRACE);
    expect(context.parentId).toBe(SPAN);
    expect(context.isSampled).toBe(true);
    expect(context.tracestate).toBe("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7,t@v=a b");
    expect(context.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(context.spanId).not.toBe(SPAN);
    expect(context.traceparent).toBe(`00-${TRACE}-${context.spanId}-01`);
    expect(context.outgoing("a".repeat(16)).traceparent).toBe(`00-${TRACE}-${"a".repeat(16)}-01`);
    // What the caller did not sample is not sampled, whatever the ratio.
    expect(contextOf({ traceparent: `00-${TRACE}-${SPAN}-00` }, 1).isSampled).toBe(false);
    expect(contextOf({ traceparent: `cc-${TRACE}-${SPAN}-01-what-comes` }).traceId).toBe(TRACE);
  });

  test.each([
    ["another trace id", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ["zeros for a trace", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["zeros for a span", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["the forbidden version", `ff-${TRACE}-${SPAN}-01`],
    ["more than its version has", `00-${TRACE}-${SPAN}-01-more`],
    ["less", `00-${TRACE}-${SPAN}`],
    ["nothing", ""],
  ])("TraceContexts.of begins a trace of its own where traceparent is %s", (_, traceparent) => {
    const context = contextOf({ traceparent, tracestate: "a=b" });
    expect(context.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(context.traceId.toLowerCase()).not.toBe(TRACE);
    expect(context.parentId).toBeUndefined();
    expect(context.tracestate).toBeUndefined();
    expect(context.isSampled).toBe(false);
  });

  test.each([
    ["two members of one key", "a=1,a=2"],
    ["a member without a value", "a=1,b"],
    ["a key in capitals", "A=1"],
    ["too many members", Array.from({ length: 33 }, (_, i) => `k${i}=v`).join(",")],
    ["too long a text", `a=${"x".repeat(600)}`],
  ])("TraceContexts.of drops a tracestate with %s, and keeps the trace", (_, tracestate) => {
    const context = contextOf({ traceparent: `00-${TRACE}-${SPAN}-01`, tracestate });
    expect(context.traceId).toBe(TRACE);
    expect(context.tracestate).toBeUndefined();
  });

  test("TraceContexts.of samples the share it is told to, and no two traces are alike", () => {
    const contexts = new TraceContexts(new Random(11), 0.25);
    const made = Array.from({ length: 20_000 }, () => contexts.of(new Headers()));
    const sampled = made.filter(({ isSampled }) => isSampled).length;
    expect(sampled).toBeWithin(4700, 5300);
    expect(new Set(made.map(({ traceId }) => traceId)).size).toBe(made.length);
    expect(new Set(made.map(({ spanId }) => spanId)).size).toBe(made.length);
  });
});
