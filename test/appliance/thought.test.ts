/** Recognition, completion and prediction through the whole appliance: what a client gets, and what too little gets. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { completeReply, recognizeReply } from "../../src/api/thought.contract.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

setDefaultTimeout(60_000);

// biome-ignore lint/suspicious/noExplicitAny: replies are looked into here only
type Json = any;

const directory = new ScratchDirectory("thought");
let appliance: ApplianceProcess;

async function post(path: string, body: unknown, space = "default"): Promise<{ status: number; json: Json }> {
  const reply = await fetch(appliance.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-memory-space": space },
    body: JSON.stringify(body),
  });
  return { status: reply.status, json: await reply.json() };
}

const EPISODES = [
  {
    id: "signed",
    what: "Ada signed the contract for the house.",
    who: ["Ada", "Rui"],
    where: "Lisbon",
    how: "with a borrowed pen",
    when: "2026-01-31T12:00:00Z",
  },
  {
    id: "flats",
    what: "Ada looked at three flats by the river.",
    who: ["Ada"],
    where: "Porto",
    when: "2026-01-20T12:00:00Z",
  },
  {
    id: "seals",
    what: "Grace saw seals on the sandbank.",
    who: ["Grace"],
    where: "the coast",
    when: "2026-05-02T09:00:00Z",
  },
];

beforeAll(async () => {
  appliance = await ApplianceProcess.start({ data: directory.data });
  for (const episode of EPISODES) {
    expect((await post("/api/v1/episodes/remember", episode)).status).toBe(201);
  }
});
afterAll(async () => {
  await appliance.stop();
  directory[Symbol.dispose]();
});

test("recognize tells what was met from what was not, and shows the traces it goes by", async () => {
  const old = await post("/api/v1/recognize", { content: "ada signed the  contract for the house." });
  expect(old.status).toBe(200);
  const known = recognizeReply.parse(old.json);
  expect(known.recognized).toBe("old");
  expect(known.recollection).toBeGreaterThan(0.9);
  expect(known.traces[0]).toMatchObject({ id: "signed", same: true });
  const unknown = recognizeReply.parse(
    (await post("/api/v1/recognize", { content: "Quantum computers need helium" })).json,
  );
  expect(unknown).toMatchObject({ recognized: "new", recollection: 0 });
  expect(unknown.confidence).toBeGreaterThan(0.8);
});

test("complete fills in an episode with the source of each field", async () => {
  const { status, json } = await post("/api/v1/complete", { who: "Ada", where: "lisbon" });
  expect(status).toBe(200);
  const done = completeReply.parse(json);
  expect(done.episode).toMatchObject({ what: EPISODES[0]!.what, how: "with a borrowed pen", who: "Ada" });
  const what = done.filled.find(({ field }) => field === "what")!;
  expect(what.sources).toEqual(["signed"]);
  expect(what.confidence).toBeGreaterThan(0.5);
  expect(done.unknown).toContain("why");
});

test("complete refuses too little with what would help, and says what a fragment is", async () => {
  const refused = await post("/api/v1/complete", { why: "because of the weather" });
  expect(refused.status).toBe(422);
  expect(refused.json).toMatchObject({ code: "completion-insufficient", received: "why" });
  expect(refused.json.expected).toContain("also what");
  expect((await post("/api/v1/complete", {})).status).toBe(422);
  expect((await post("/api/v1/complete", { colour: "red" })).status).toBe(400);
  expect((await post("/api/v1/recognize", {})).json).toMatchObject({
    code: "request-invalid",
    at: "content",
  });
  expect((await post("/api/v1/recognize", { content: "x" }, "nowhere")).status).toBe(404);
  expect((await post("/api/v1/recognize", { embedding: [1, 2, 3] })).json.code).toBe("dimensions-mismatch");
});

test("what thought did is counted by operation", async () => {
  const counted = [
    /engram_operations_total\{operation="recognize",space_class="small",outcome="ok"\} 2/,
    /engram_operations_total\{operation="complete",space_class="small",outcome="refused"\} 2/,
  ];
  await eventually("both are counted", async () => {
    const metrics = await (await fetch(`${appliance.url}/metrics`)).text();
    return counted.every((pattern) => pattern.test(metrics));
  });
});
