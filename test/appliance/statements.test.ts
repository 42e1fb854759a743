/** The query language through the whole appliance: every verb does what it says. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { statementReply } from "../../src/api/statement.contract.ts";
import { run } from "../cli/run-for-test.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

setDefaultTimeout(90_000);

// biome-ignore lint/suspicious/noExplicitAny: replies are looked into here only
type Json = any;

const directory = new ScratchDirectory("statements");
let appliance: ApplianceProcess;

async function post(path: string, body: unknown): Promise<{ status: number; json: Json }> {
  const reply = await fetch(appliance.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: reply.status, json: await reply.json() };
}

async function ask(statement: string, parameters?: Record<string, string | number>): Promise<Json> {
  const { status, json } = await post("/api/v1/query/engram", { statement, parameters });
  expect([statement, status, json]).toEqual([statement, 200, json]);
  statementReply.parse(json);
  return json;
}

const DAY = "2026-03-01";
const at = (minute: number): string => `${DAY}T10:${String(minute).padStart(2, "0")}:00Z`;
const EPISODES = [
  {
    id: "kettle",
    what: "The kettle whistled in the kitchen",
    who: ["Ada"],
    where: "the kitchen",
    session: "morning",
    when: at(0),
  },
  {
    id: "tea",
    what: "Ada poured green tea",
    who: ["Ada"],
    where: "the kitchen",
    session: "morning",
    when: at(2),
  },
  {
    id: "letter",
    what: "A letter from Lisbon arrived",
    who: ["Grace"],
    where: "the hall",
    session: "post",
    when: at(20),
  },
  {
    id: "picnic",
    what: "Grace packed a picnic basket",
    who: ["Grace"],
    where: "the garden",
    session: "noon",
    when: at(40),
  },
];

beforeAll(async () => {
  appliance = await ApplianceProcess.start({ data: directory.data });
  for (const episode of EPISODES) expect((await post("/api/v1/episodes/remember", episode)).status).toBe(201);
  const link = { source: "kettle", destination: "tea", kind: "cause" };
  expect((await post("/api/v1/links", link)).status).toBe(201);
  await eventually("bindings have formed", async () => {
    const space = (await (await fetch(`${appliance.url}/api/v1/spaces/default`)).json()) as Json;
    return space.unassociated === 0 && space.bindings > 0;
  });
});
afterAll(async () => {
  await appliance.stop();
  directory[Symbol.dispose]();
});

test("RECALL finds, filters and explains", async () => {
  const found = await ask("RECALL $q WHERE kind = episode LIMIT 1 EXPLAIN", { q: "who poured tea" });
  expect(found.recall.memories.map(({ id }: Json) => id)).toEqual(["tea"]);
  expect(found.recall.memories[0].why.words.terms).toContain("tea");
  const late = await ask(`RECALL "kettle tea letter" WHERE time >= "${at(10)}"`);
  expect(late.recall.memories.map(({ id }: Json) => id)).not.toContain("kettle");
  expect((await ask('RECALL "tea" WHERE kind = memory')).recall.memories).toEqual([]);
  expect((await ask('RECALL "tea" AS OF "2020-01-01"')).recall.memories).toEqual([]);
});

test("SPREAD goes along bindings, from memories and from a text", async () => {
  const { spread } = await ask('SPREAD FROM MEMORY "kettle" HOPS 1 EXPLAIN');
  expect(spread.reached[0].memory.id).toBe("tea");
  expect(spread.reached[0].path.map(({ id }: Json) => id)).toEqual(["kettle", "tea"]);
  expect(spread.activation).toMatchObject({ seeds: 1, budget_exhausted: "none" });
  const { recall } = await ask('SPREAD FROM "kettle whistled"');
  expect(recall.mode).toBe("spreading");
  expect(recall.memories.map(({ id }: Json) => id)).toContain("tea");
});

test("SPREAD asked again is answered alike, from what is kept", async () => {
  const hits = async (): Promise<number> => {
    const metrics = await (await fetch(`${appliance.url}/metrics`)).text();
    return Number(/^engram_activation_cache_hits_total (\d+)/m.exec(metrics)?.[1] ?? 0);
  };
  const before = await hits();
  const first = await ask('SPREAD FROM MEMORY "tea", "letter"');
  await eventually("a look-up finds it", async () => {
    // Each worker keeps its own, and a minute may end in between.
    expect((await ask('SPREAD FROM MEMORY "tea", "letter"')).spread.reached.length).toBe(
      first.spread.reached.length,
    );
    return (await hits()) > before;
  });
});

test("COMPLETE, IMAGINE and PREDICT do what they say", async () => {
  const { complete } = await ask('COMPLETE who = "Ada", what = "the kettle whistled"');
  expect(complete.episode.where).toBe("the kitchen");
  const { imagine } = await ask('IMAGINE "tea and a picnic in the garden" LIMIT 2');
  expect(imagine.scenes.length).toBe(2);
  for (const { parts } of imagine.scenes) {
    expect(new Set(parts.map(({ source }: Json) => source)).size).toBeGreaterThan(1);
  }
  const { predict } = await ask('PREDICT AFTER "the kettle whistles" WITHIN "10m" LIMIT 1');
  expect(predict.predictions[0].memory.id).toBe("tea");
  expect(predict.predictions[0].by).toContain("cause");
  expect(predict.predictions[0].delay_ms).toBeCloseTo(120_000, -3);
  expect((await ask('PREDICT AFTER MEMORY "kettle" WITHIN "1m"')).predict.predictions).toEqual([]);
});

test("CONSOLIDATE runs a cycle and says what became of it", async () => {
  const { consolidate } = await ask("CONSOLIDATE LIMIT 1");
  expect(consolidate.space).toBe("default");
  expect(consolidate.requested).toBe(true);
});

test("a wrong statement is refused at its place, and nothing is done", async () => {
  const wrong = await post("/api/v1/query/engram", { statement: 'RECALL "x"\nLIMIT many' });
  expect(wrong.status).toBe(400);
  expect(wrong.json).toMatchObject({ code: "statement-invalid", at: "statement:2:7" });
  expect((await post("/api/v1/query/engram", { statement: "" })).status).toBe(400);
  const missing = await post("/api/v1/query/engram", { statement: 'SPREAD FROM MEMORY "nobody"' });
  expect(missing.json.code).toBe("memory-not-found");
  const thin = await post("/api/v1/query/engram", { statement: 'COMPLETE why = "unknown reasons"' });
  expect(thin.status).toBe(422);
});

test("the command query prints a table, JSON, and what is wrong", async () => {
  const query = (...words: string[]) => run(["query", "--url", appliance.url, ...words]);
  const found = await query("RECALL $q LIMIT 1", "--param", "q=green tea");
  expect(found.out).toMatch(/^score +id +content\n0\.\d+ +tea +Ada poured green tea\n$/);
  const json = JSON.parse((await query('PREDICT AFTER MEMORY "kettle"', "--json")).out);
  expect(json.verb).toBe("predict");
  const done = await query('COMPLETE who = "Grace", where = "the hall"');
  expect(done.out).toContain("A letter from Lisbon arrived");
  expect((await query('IMAGINE "a picnic in the kitchen"')).out).toContain("plausibility");
  const wrong = await query("RECALL");
  expect(wrong.exitCode).toBe(65);
  expect(wrong.err).toContain("Line 1, column 7");
  expect((await query("RECALL $q", "--param", "q")).exitCode).toBe(64);
});
