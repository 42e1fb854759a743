import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createKey } from "../../src/storage/key-store.ts";
import { ApiUnderTest } from "../api/api-under-test.ts";
import { readFamilies } from "./protobuf-reader.ts";

describe("GET /metrics", () => {
  let api: ApiUnderTest;
  beforeAll(() => {
    api = new ApiUnderTest();
  });
  afterAll(() => api.close());

  test("GET /metrics answers in the format that was asked for", async () => {
    await api.get("/api/v1/memories/nothing");
    const text = await api.get("/metrics");
    expect([text.status, text.type]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    expect(text.text).toContain('engram_http_responses_total{status="4xx"} 1\n');

    const open = await api.get("/metrics", { accept: "application/openmetrics-text;version=1.0.0" });
    expect(open.type).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(open.text).toEndWith("# EOF\n");

    const accept =
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    const response = await fetch(`${api.url}/metrics`, { headers: { accept } });
    expect(response.headers.get("content-type")).toStartWith("application/vnd.google.protobuf;");
    const families = readFamilies(new Uint8Array(await response.arrayBuffer()));
    const scrapes = families.find(({ name }) => name === "engram_observe_scrape_duration_seconds")!;
    expect(scrapes.metrics[0]!.histogram!.count).toBe(2);
  });

  test("GET /metrics shows no label that a client sent, and no more series for more names", async () => {
    const seriesOf = (text: string) => text.split("\n").filter((line) => /^\w+({.*})? /.test(line)).length;
    const call = (name: string) =>
      api.get(`/api/v1/memories/recall?query=${name}`, { "x-memory-space": name });
    for (let i = 0; i < 5; i++) await call(`made-up-${i}`);
    const few = (await api.get("/metrics")).text;
    for (let i = 5; i < 200; i++) await call(`made-up-${i}`);
    const many = (await api.get("/metrics")).text;
    expect(many).not.toContain("made-up");
    expect(seriesOf(many)).toBe(seriesOf(few));
  });

  test("GET /metrics needs a key with the right to read once there are keys", async () => {
    const reader = await createKey(
      api.dataDir,
      { name: "scraper", rights: ["read"], spaces: ["*"] },
      Date.now(),
    );
    const writer = await createKey(
      api.dataDir,
      { name: "writer", rights: ["write"], spaces: ["*"] },
      Date.now(),
    );
    api.passASecond();
    const as = (key?: string) =>
      api.get("/metrics", key === undefined ? {} : { authorization: `Bearer ${key}` });
    expect((await as()).status).toBe(401);
    expect((await as(writer.key)).status).toBe(403);
    expect((await as(reader.key)).status).toBe(200);
  });
});
