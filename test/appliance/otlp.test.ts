/** OTLP and trace context of a running appliance: from the client's header to the embedding server and the receiver. */
import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DIMENSIONS, FakeEmbeddingServer, honest } from "../embedding/fake-embedding-server.ts";
import { OtlpReceiver } from "../observe/otlp/otlp-receiver.ts";
import {
  ApplianceProcess,
  eventually,
  ScratchDirectory,
  StartRefused,
} from "../support/appliance-process.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

test("a traced request is seen by the embedding server and the receiver, span by span; so are the metrics", async () => {
  using scratch = new ScratchDirectory("otlp");
  const receiver = new OtlpReceiver();
  const embeddings = new FakeEmbeddingServer();
  const outgoing: (string | null)[][] = [];
  embeddings.always = (asked, request) => {
    outgoing.push([request.headers.get("traceparent"), request.headers.get("tracestate")]);
    return honest(asked, request);
  };
  const headers = join(scratch.data, "../otlp-headers");
  writeFileSync(headers, "# for the test\nX-Secret: hidden\n", { mode: 0o600 });
  try {
    await using appliance = await ApplianceProcess.start({
      data: scratch.data,
      settings: {
        "thread_pools.api_workers": 2,
        "numa.enabled": false,
        "logging.format": "json",
        "logging.requests": true,
        "embedding.provider": "openai",
        "embedding.dimensions": DIMENSIONS,
        "embedding.openai.url": embeddings.url,
        "embedding.openai.model": "fake",
        "otlp.endpoint": receiver.url,
        "otlp.headers_file": headers,
        "otlp.interval_s": 1,
        "otlp.timeout_s": 1,
        "otlp.sample_ratio": 0,
      },
    });
    const traced = {
      "content-type": "application/json",
      traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
      tracestate: "vendor=a",
    };
    const path = `${appliance.url}/api/v1/memories/`;
    const post = (what: string, body: object) =>
      fetch(path + what, { method: "POST", headers: traced, body: JSON.stringify(body) });
    expect((await post("remember", { id: "a", content: "green apples" })).status).toBe(201);
    const answer = await post("recall", { query: "apples of any colour" });
    expect(answer.headers.get("traceparent")).toStartWith(`00-${TRACE}-`);
    // Not sampled by its caller, and none of its own are.
    await appliance.client.recall({ query: "apples" });

    const recallSpan = () => receiver.spans.find(({ name }) => name === "POST /api/v1/memories/recall");
    await eventually("the spans have arrived", async () => recallSpan() !== undefined);
    const root = recallSpan()!;
    expect(receiver.spans.every(({ traceId }) => traceId === TRACE)).toBe(true);
    expect(root.parentId).toBe("00f067aa0ba902b7");
    expect(root.state).toBe("vendor=a");
    expect(answer.headers.get("traceparent")).toBe(`00-${TRACE}-${root.spanId}-01`);
    const operation = receiver.spans.find(
      ({ name, parentId }) => name === "recall" && parentId === root.spanId,
    )!;
    const stages = receiver.spans.filter(({ parentId }) => parentId === operation.spanId);
    expect(stages.map(({ name }) => name).sort()).toEqual(
      ["embed", "fetch", "fuse", "parse", "serialise", "vector", "words"].sort(),
    );
    for (const { startNano, endNano, name } of [operation, ...stages]) {
      // Clocks of two kinds are put together, so some microseconds may lie outside.
      expect(startNano, name).toBeGreaterThan(root.startNano - 200_000n);
      expect(endNano, name).toBeLessThan(root.endNano + 200_000n);
    }
    const remembered = receiver.spans.find(({ name }) => name === "remember")!;
    const below = receiver.spans.filter(({ parentId }) => parentId === remembered.spanId);
    expect(below.map(({ name }) => name)).toContain("log");

    // What went out names the span that waited for it.
    const embed = stages.find(({ name }) => name === "embed")!;
    expect(outgoing).toContainEqual([`00-${TRACE}-${embed.spanId}-01`, "vendor=a"]);
    expect(receiver.headers.every((sent) => sent.get("x-secret") === "hidden")).toBe(true);

    await eventually("metrics have arrived", async () =>
      (receiver.metric("engram.recall.operations")?.points ?? []).some(({ value }) => value === 2),
    );
    expect(receiver.resource).toMatchObject({ "service.name": "engram-appliance" });
    const durations = receiver.metric("engram.memory.operation.duration")!;
    expect(durations.unit).toBe("s");
    const recalls = durations.points.find(({ attributes }) => attributes["operation"] === "recall")!;
    expect(recalls.histogram!.count).toBe(2);
    expect(recalls.histogram!.sum).toBeLessThan(5);

    const line = appliance.stderr
      .split("\n")
      .find((each) => each.includes("POST /api/v1/memories/recall 200"))!;
    expect(JSON.parse(line)).toMatchObject({
      level: "info",
      trace_id: TRACE,
      span_id: root.spanId,
      status: 200,
    });

    // A receiver that is gone holds nothing up.
    await receiver.stop();
    expect((await post("recall", { query: "apples" })).status).toBe(200);
    await eventually("it is told", async () => /cannot send/.test(appliance.stderr));
    expect(await appliance.stop()).toBe(0);
  } finally {
    await receiver.stop();
    await embeddings.stop();
  }
}, 60_000);

test("a file of headers that others may read is refused, with what to do", async () => {
  using scratch = new ScratchDirectory("otlp-headers");
  const headers = join(scratch.data, "../headers");
  writeFileSync(headers, "authorization: Bearer x\n");
  chmodSync(headers, 0o644);
  try {
    await using appliance = await ApplianceProcess.start({
      data: scratch.data,
      settings: {
        "thread_pools.api_workers": 1,
        "otlp.endpoint": "http://127.0.0.1:9",
        "otlp.headers_file": headers,
      },
    });
    expect(await appliance.exited).toBe(78);
    expect(appliance.stderr).toContain("chmod 600");
  } catch (error) {
    // It may end before it serves.
    if (!(error instanceof StartRefused)) throw error;
    expect(error.exitCode).toBe(78);
    expect(error.stderr).toContain("chmod 600");
  }
}, 60_000);
