/** Episodes, links and reinforcement over HTTP: what is taken, refused, and answered. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { replayReply } from "../../src/api/episodes.contract.ts";
import { linkReply, linksReply, unlinkedReply } from "../../src/api/links.contract.ts";
import { listReply, reinforcedReply } from "../../src/api/memories.contract.ts";
import { memoryReply, recallReply } from "../../src/api/recall.contract.ts";
import { rememberedReply } from "../../src/api/remember.contract.ts";
import { ApiUnderTest, type Json } from "./api-under-test.ts";

// Nothing here waits for time; a busy machine is only slow.
setDefaultTimeout(60_000);

const EPISODES = "/api/v1/episodes";
const LINKS = "/api/v1/links";

let api: ApiUnderTest;
beforeAll(() => {
  api = new ApiUnderTest();
});
afterAll(() => api.close());

function inSpace(name: string) {
  return { "X-Memory-Space": name };
}

const FULL = {
  what: "Ada signed the contract.",
  when: "2026-01-31T12:00:00Z",
  where: "Lisbon",
  who: ["Ada", "Rui"],
  why: "The old flat was too loud",
  how: "With a borrowed pen",
  valence: -0.25,
  importance: 0.75,
  session: "moving",
  id: "signed",
  confidence: 0.9,
  tags: ["home"],
  metadata: { page: 3 },
};

test("an episode is read as it was told, and is a memory like others", async () => {
  const space = inSpace("told");
  const stored = await api.post(`${EPISODES}/remember`, FULL, space);
  expect(stored.status).toBe(201);
  rememberedReply.parse(stored.json);
  const read = await api.get("/api/v1/memories/signed", space);
  expect(memoryReply.parse(read.json)).toEqual({
    id: "signed",
    content: FULL.what,
    metadata: FULL.metadata,
    tags: FULL.tags,
    timestamp: "2026-01-31T12:00:00.000Z",
    stored_at: read.json.stored_at,
    confidence: 0.9,
    kind: "episode",
    importance: 0.75,
    valence: -0.25,
    episode: {
      where: FULL.where,
      who: FULL.who,
      why: FULL.why,
      how: FULL.how,
      session: FULL.session,
    },
  });
  const found = await api.get("/api/v1/memories/recall?query=contract&kinds=episode", space);
  expect(recallReply.parse(found.json).memories.map(({ id }) => id)).toEqual(["signed"]);
});

test("an episode needs no more than what happened", async () => {
  const space = inSpace("bare");
  const { json } = await api.post(`${EPISODES}/remember`, { what: "It rained." }, space);
  const read = memoryReply.parse((await api.get(`/api/v1/memories/${json.id}`, space)).json);
  expect([read.kind, read.importance, read.valence, read.episode]).toEqual(["episode", 0.5, 0, {}]);
});

test("memories are listed and recalled by their kind", async () => {
  const space = inSpace("kinds");
  await api.remember({ id: "plain", content: "rain in Porto" }, space);
  await api.post(`${EPISODES}/remember`, { id: "lived", what: "rain in Porto" }, space);
  const listed = async (query: string) =>
    listReply.parse((await api.get(`/api/v1/memories${query}`, space)).json).memories.map(({ id }) => id);
  expect(await listed("")).toEqual(["plain", "lived"]);
  expect(await listed("?kind=episode")).toEqual(["lived"]);
  expect(await listed("?kind=memory&kind=concept")).toEqual(["plain"]);
  const recalled = async (kinds: string[] | undefined) => {
    const { json } = await api.post("/api/v1/memories/recall", { query: "rain", kinds }, space);
    return recallReply
      .parse(json)
      .memories.map(({ id }) => id)
      .sort();
  };
  expect(await recalled(undefined)).toEqual(["lived", "plain"]);
  expect(await recalled(["memory"])).toEqual(["plain"]);
  expect(await recalled(["concept"])).toEqual([]);
  const refused = await api.get("/api/v1/memories?kind=dream", space);
  expect([refused.status, refused.json.at]).toEqual([400, "kind[0]"]);
});

test.each([
  [{}, "what"],
  [{ what: "" }, "what"],
  [{ what: "x", valence: 1.5 }, "valence"],
  [{ what: "x", importance: -0.1 }, "importance"],
  [{ what: "x", who: [] }, "who"],
  [{ what: "x", who: "Ada" }, "who"],
  [{ what: "x", where: "" }, "where"],
  [{ what: "x", session: "s".repeat(257) }, "session"],
  [{ what: "x", why: "\ud800" }, "why"],
  [{ what: "x", who: ["Ada", "\udc00"] }, "who[1]"],
  [{ what: "x", when: "2026-02-30" }, "when"],
  [{ what: "x", content: "x" }, "content"],
  [{ what: "x", caused_by: ["nobody"] }, "caused_by[0]"],
  [{ what: "x", caused_by: Array.from({ length: 17 }, () => "a") }, "caused_by"],
])("an episode %j is refused, and the refusal says where", async (body, at) => {
  await api.remember({ id: "known", content: "x", if_exists: "keep" }, inSpace("refusals"));
  const refused = await api.post(`${EPISODES}/remember`, body, inSpace("refusals"));
  const status = at === "caused_by[0]" ? 404 : 400;
  expect([refused.status, refused.json.at]).toEqual([status, at]);
});

test("a cause is linked to its consequence", async () => {
  const space = inSpace("causes");
  await api.post(`${EPISODES}/remember`, { id: "storm", what: "The storm came." }, space);
  await api.post(
    `${EPISODES}/remember`,
    { id: "dark", what: "The lights went out.", caused_by: ["storm"] },
    space,
  );
  const seen = linksReply.parse((await api.get(`${LINKS}?id=dark`, space)).json);
  expect(seen.links.map(({ kind, id, direction, strength }) => [kind, id, direction, strength])).toEqual([
    ["cause", "storm", "in", 1],
  ]);
});

test("a replay goes through episodes in the order in which they happened, page by page", async () => {
  const space = inSpace("replayed");
  await api.remember({ content: "no episode", timestamp: 5 }, space);
  const times = [70, 10, 50, 30, 90, 20, 60, 40, 80];
  for (const [i, when] of times.entries()) {
    const episode = {
      id: `at-${when}`,
      what: `no ${i}`,
      when,
      session: i % 2 ? "odd" : "even",
      who: [`w${i % 3}`],
    };
    expect((await api.post(`${EPISODES}/remember`, episode, space)).status).toBe(201);
  }
  const all = async (query: string): Promise<string[]> => {
    const ids: string[] = [];
    let cursor: string | null = null;
    do {
      const more: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = replayReply.parse(
        (await api.get(`${EPISODES}/replay?limit=2${query}${more}`, space)).json,
      );
      expect(page.episodes.length).toBeLessThanOrEqual(2);
      ids.push(...page.episodes.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    return ids;
  };
  const idsOf = (kept: (when: number, i: number) => boolean) =>
    times
      .filter(kept)
      .sort((a, b) => a - b)
      .map((when) => `at-${when}`);
  expect(await all("")).toEqual(idsOf(() => true));
  expect(await all("&session=odd")).toEqual(idsOf((_when, i) => i % 2 === 1));
  expect(await all("&who=w1&from=20&to=80")).toEqual(
    idsOf((when, i) => i % 3 === 1 && when >= 20 && when <= 80),
  );
  expect(await all("&session=none")).toEqual([]);
  const refused = await api.get(`${EPISODES}/replay?cursor=x`, space);
  expect([refused.status, refused.json.at]).toEqual([400, "cursor"]);
});

test("a link is made, strengthened, set, seen from both ends and taken away", async () => {
  const space = inSpace("linked");
  for (const id of ["a", "b/c", "d"]) await api.remember({ id, content: id }, space);
  const spec = { source: "a", destination: "b/c" };
  const made = await api.post(LINKS, spec, space);
  expect([made.status, linkReply.parse(made.json)]).toEqual([
    201,
    { ...spec, kind: "link", space: "linked", ack: "fsync", strength: 0.8, use_count: 0, created: true },
  ]);
  const stronger = await api.post(LINKS, { ...spec, ack: "wal" }, space);
  expect([stronger.status, stronger.json.created, stronger.json.ack]).toEqual([200, false, "wal"]);
  expect([stronger.json.strength > 0.8, stronger.json.use_count]).toEqual([true, 1]);
  expect((await api.post(LINKS, { ...spec, strength: 0.25 }, space)).json.strength).toBe(0.25);
  await api.post(LINKS, { source: "d", destination: "a", kind: "cause" }, space);
  const seenFrom = async (query: string) =>
    linksReply
      .parse((await api.get(`${LINKS}?${query}`, space)).json)
      .links.map(({ kind, id, direction }: Json) => `${kind} ${direction} ${id}`);
  expect(await seenFrom("id=a")).toEqual(["cause in d", "link out b/c"]);
  expect(await seenFrom("id=b%2Fc")).toEqual(["link in a"]);
  expect(await seenFrom("id=a&kind=link")).toEqual(["link out b/c"]);
  expect(await seenFrom("id=a&limit=1")).toEqual(["cause in d"]);
  const removed = await api.call("DELETE", `${LINKS}?source=a&destination=b%2Fc`, undefined, space);
  expect(unlinkedReply.parse(removed.json).removed).toBe(true);
  expect(await seenFrom("id=b%2Fc")).toEqual([]);
  const again = await api.call("DELETE", `${LINKS}?source=a&destination=b%2Fc`, undefined, space);
  expect([again.status, again.json.code]).toEqual([404, "link-not-found"]);
  await api.call("DELETE", "/api/v1/memories/d", undefined, space);
  expect(await seenFrom("id=a")).toEqual([]);
});

test.each([
  [{ source: "a" }, 400, "destination"],
  [{ source: "a", destination: "a" }, 400, "destination"],
  [{ source: "a", destination: "nobody" }, 404, "destination"],
  [{ source: "nobody", destination: "a" }, 404, "source"],
  [{ source: "a", destination: "b", kind: "similar" }, 400, "kind"],
  [{ source: "a", destination: "b", strength: 0 }, 400, "strength"],
  [{ source: "a", destination: "b", strength: 1.1 }, 400, "strength"],
  [{ source: "x".repeat(257), destination: "b" }, 400, "source"],
])("a link %j is refused", async (body, status, at) => {
  const space = inSpace("unlinkable");
  await api.remember({ id: "a", content: "a", if_exists: "keep" }, space);
  await api.remember({ id: "b", content: "b", if_exists: "keep" }, space);
  const refused = await api.post(LINKS, body, space);
  expect([refused.status, refused.json.at]).toEqual([status, at]);
});

test("a reinforced memory counts the use, and matters more each time", async () => {
  const space = inSpace("reinforced");
  await api.remember({ id: "a/b", content: "said again" }, space);
  const path = "/api/v1/memories/a%2Fb/reinforce";
  const once = reinforcedReply.parse((await api.post(path, "", space)).json);
  const twice = reinforcedReply.parse((await api.post(`${path}?ack=memory`, "", space)).json);
  expect([once.id, once.use_count, twice.use_count, twice.ack]).toEqual(["a/b", 1, 2, "memory"]);
  expect(twice.importance).toBeGreaterThan(once.importance);
  expect(twice.importance).toBeLessThanOrEqual(1);
  expect(twice.stability_hours).toBeGreaterThanOrEqual(once.stability_hours);
  const missing = await api.post("/api/v1/memories/nobody/reinforce", "", space);
  expect([missing.status, missing.json.code]).toEqual([404, "memory-not-found"]);
  expect((await api.post(`${path}?ack=never`, "", space)).json.at).toBe("ack");
});
