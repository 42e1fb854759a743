/**
 * Association as a client sees it: what was said together is found together, with the way it came; without it, it
 * is not. What was bound survives a kill, and the walk goes on where it stood.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type ApplianceClient, answered, type NewMemory } from "../support/appliance-client.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

const HOUR = 3_600_000;
const START_MS = Date.UTC(2026, 0, 5);
const QUERY = "Which instrument is practised?";
/** Found by no word and no vector of the query: only by what was said just before it. */
const NEIGHBOUR = "talk/2";

const directory = new ScratchDirectory("association");
/** Age and context change scores from one moment to the next; here only association is to. */
const start = {
  data: directory.data,
  settings: {
    "forgetting.enabled": false,
    "interference.enabled": false,
    "priming.enabled": false,
    "forgetting.learn_from_recall": false,
  },
};
let appliance: ApplianceProcess;
let client: ApplianceClient;

beforeAll(async () => {
  appliance = await ApplianceProcess.start(start);
  client = appliance.client;
  answered(await client.rememberBatch([...filler(60), ...talk()]));
  await associated(client);
}, 60_000);

afterAll(async () => {
  await appliance.kill();
  directory[Symbol.dispose]();
});

/** Memories of days on which nothing of the kind was said, each in an hour of its own. */
function filler(count: number): NewMemory[] {
  const words = ["weather", "garden", "budget", "train", "recipe", "meeting", "window", "river", "lamp"];
  return Array.from({ length: count }, (_, i) => ({
    id: `filler/${i}`,
    content: `Bob: the ${words[i % 9]} and the ${words[(i * 4 + 1) % 9]}, day ${i}`,
    timestamp: START_MS + i * HOUR,
  }));
}

function talk(): NewMemory[] {
  const said = [
    "Bob: Which instrument do you practise these days?",
    "Ada: The cello, every evening since spring.",
    "Bob: Lovely, my neighbours would envy yours.",
  ];
  return said.map((content, i) => ({
    id: `talk/${i + 1}`,
    content,
    timestamp: START_MS + 500 * HOUR + i * 1000,
    tags: i === 1 ? ["music"] : [],
  }));
}

async function associated(of: ApplianceClient, space = "default"): Promise<void> {
  await eventually(
    "every memory is bound to what it belongs to",
    async () => answered(await of.space(space)).unassociated === 0,
  );
}

async function idsFound(asked: Parameters<ApplianceClient["recall"]>[0]): Promise<string[]> {
  return answered(await client.recall({ query: QUERY, limit: 5, ...asked })).memories.map(({ id }) => id);
}

test("a hybrid recall finds what was said next to what it found, and without activation it does not", async () => {
  expect(await idsFound({ mode: "hybrid" })).toContain(NEIGHBOUR);
  expect(await idsFound({ mode: "hybrid", activation_hops: 0 })).not.toContain(NEIGHBOUR);
  expect(await idsFound({ mode: "words" })).not.toContain(NEIGHBOUR);
});

test("explain shows the way along which a memory came, and who said it", async () => {
  const query = "Which instrument does Ada practise?";
  const { memories, activation } = answered(await client.recall({ query, limit: 5, explain: true }));
  const { why } = memories.find(({ id }) => id === NEIGHBOUR)!;
  expect(why?.activation?.path).toEqual([{ id: "talk/1" }, { id: NEIGHBOUR, kind: "temporal", strength: 1 }]);
  expect(why?.activation?.received).toBeGreaterThan(0);
  expect(why?.speaker).toBe("Ada");
  expect(activation).toMatchObject({ budget_exhausted: "none" });
  expect(activation!.visited).toBeGreaterThan(0);
});

test("a spreading recall answers only what activation touched, best first, the same each time", async () => {
  const first = answered(await client.recall({ query: QUERY, limit: 50, mode: "spreading" }));
  expect(first.mode).toBe("spreading");
  expect(first.memories.length).toBeLessThanOrEqual(first.activation!.reached);
  expect(first.memories.map(({ id }) => id)).toContain(NEIGHBOUR);
  for (let i = 0; i < 5; i++) {
    const again = answered(await client.recall({ query: QUERY, limit: 50, mode: "spreading" }));
    expect(again.memories).toEqual(first.memories);
    expect(again.activation).toEqual(first.activation);
  }
});

test("filters hold for what activation brings, too", async () => {
  expect(await idsFound({ tags: ["music"] })).toEqual([NEIGHBOUR]);
  expect(await idsFound({ to: START_MS + 100 * HOUR })).not.toContain(NEIGHBOUR);
});

test("a recall may set its own budget, and hears when that was used up", async () => {
  const { activation } = answered(await client.recall({ query: QUERY, activation_visits: 1 }));
  expect(activation).toMatchObject({ visited: 1, budget_exhausted: "visits" });
  const { activation: near } = answered(await client.recall({ query: QUERY, activation_hops: 1 }));
  expect(near!.hops).toBe(1);
});

test("bounds of what a recall may ask of activation are said", async () => {
  const refused = await client.recall({ query: QUERY, activation_hops: 7 });
  expect(refused.status).toBe(400);
  expect(JSON.stringify(refused.body)).toContain("activation_hops");
});

test("sessions, names and tags bind, and metrics count what activation did", async () => {
  const session = (n: number, content: string, more: Partial<NewMemory> = {}): NewMemory => ({
    id: `s/${n}`,
    content,
    timestamp: START_MS + n * 48 * HOUR,
    ...more,
  });
  await client.createSpace({ name: "kinds" });
  answered(
    await client.rememberBatch(
      [
        session(1, "we planned the trip", { metadata: { session: "a" } }),
        session(2, "nothing else", { metadata: { session: "b" } }),
        session(3, "the boat leaves early", { metadata: { session: "a" } }),
        session(4, "they rented it from Zebulon", { tags: ["boats"] }),
        session(5, "a letter from Zebulon came", { tags: ["post"] }),
        session(6, "oars and sails", { tags: ["boats"] }),
      ],
      {},
      "kinds",
    ),
  );
  await associated(client, "kinds");
  const wayTo = async (query: string, id: string): Promise<string | undefined> => {
    const asked = { query, explain: true, mode: "spreading", activation_seeds: 1 } as const;
    const { memories } = answered(await client.recall(asked, "kinds"));
    return memories.find((memory) => memory.id === id)?.why?.activation?.path[1]?.kind;
  };
  expect(await wayTo("planned the trip", "s/3")).toBe("session");
  expect(await wayTo("letter", "s/4")).toBe("entity");
  expect(await wayTo("oars sails", "s/4")).toBe("tag");
  await eventually("what activation visited is in the metrics", async () => {
    const metrics = await (await fetch(`${client.url}/metrics`)).text();
    return /engram_activation_visits_total [1-9]/.test(metrics);
  });
});

test("who said it may stand in the metadata, and weighs as a recall asks", async () => {
  await client.createSpace({ name: "said" });
  const said = (id: string, speaker: string): NewMemory => ({
    id,
    content: "I would rather have the blue bicycle",
    metadata: { speaker },
    timestamp: START_MS,
  });
  answered(await client.rememberBatch([said("by-dan", "Dan"), said("by-cyn", "Cyn")], {}, "said"));
  await associated(client, "said");
  const asked = { query: "Which bicycle would Cyn rather have?", explain: true } as const;
  const [first] = answered(await client.recall(asked, "said")).memories;
  expect([first?.id, first?.why?.speaker]).toEqual(["by-cyn", "Cyn"]);
  const scoresOf = async (weight: number): Promise<number[]> => {
    const { memories } = answered(await client.recall({ ...asked, speaker_weight: weight }, "said"));
    return memories.map(({ score }) => score);
  };
  const [cyn, dan] = await scoresOf(1);
  expect(cyn! / dan!).toBeGreaterThan(1.5);
  const [one, other] = await scoresOf(0);
  expect(one! / other!).toBeLessThan(1.5);
});

test("a killed appliance comes back with its bindings, and binds what is new", async () => {
  const ways = async () => {
    const { memories } = answered(await client.recall({ query: QUERY, limit: 5, explain: true }));
    return memories.map(({ id, score, why }) => ({ id, score, activation: why?.activation }));
  };
  const before = await ways();
  const { bindings } = answered(await client.space("default"));
  expect(bindings).toBeGreaterThan(0);
  await appliance.kill();
  appliance = await ApplianceProcess.start(start);
  client = appliance.client;
  expect(answered(await client.space("default"))).toMatchObject({ unassociated: 0, bindings });
  expect(await ways()).toEqual(before);
  answered(
    await client.remember({
      content: "Ada: Bach mostly.",
      id: "talk/4",
      timestamp: START_MS + 500 * HOUR + 9000,
    }),
  );
  await associated(client);
  expect(answered(await client.space("default")).bindings).toBeGreaterThan(bindings);
}, 60_000);

test("killed while it binds, the walk goes on where its bindings end: none is missing, none made twice", async () => {
  const memories = Array.from({ length: 1500 }, (_, i) => ({
    id: `m/${i}`,
    content: `Ada: note ${i} on the ${["river", "train", "garden"][i % 3]}`,
    timestamp: START_MS + Math.floor(i / 10) * HOUR + (i % 10) * 1000,
  }));
  /** The bindings of a space of these memories, after so many kills on the way. */
  const bindingsAfter = async (kills: number): Promise<number> => {
    using scratch = new ScratchDirectory("association-kill");
    // Similar memories depend on how far the graph has come, and concepts on when they form; the rest does not.
    const settings = { ...start.settings, "association.similar": 0, "consolidation.enabled": false };
    let running = await ApplianceProcess.start({ data: scratch.data, settings });
    try {
      for (let from = 0; from < memories.length; from += 500) {
        answered(await running.client.rememberBatch(memories.slice(from, from + 500)));
      }
      for (let kill = 0; kill < kills; kill++) {
        await Bun.sleep(30 * kill);
        await running.kill();
        running = await ApplianceProcess.start({ data: scratch.data, settings });
      }
      await associated(running.client);
      return answered(await running.client.space("default")).bindings;
    } finally {
      await running.kill();
    }
  };
  const undisturbed = await bindingsAfter(0);
  // Two neighbours each, but for the first two of every ten.
  expect(undisturbed).toBeGreaterThanOrEqual((memories.length / 10) * 17);
  expect(await bindingsAfter(4)).toBe(undisturbed);
}, 120_000);

test("switched off, nothing is bound and mode=spreading is refused", async () => {
  using other = new ScratchDirectory("association-off");
  const settings = { "association.enabled": false, "activation.enabled": false };
  await using off = await ApplianceProcess.start({ data: other.data, settings });
  answered(await off.client.rememberBatch([...filler(60), ...talk()]));
  await Bun.sleep(600);
  expect(answered(await off.client.space("default"))).toMatchObject({ bindings: 0, unassociated: 63 });
  const recalled = answered(await off.client.recall({ query: QUERY, limit: 5 }));
  expect(recalled.activation).toBeUndefined();
  expect(recalled.memories.map(({ id }) => id)).not.toContain(NEIGHBOUR);
  const refused = await off.client.recall({ query: QUERY, mode: "spreading" });
  expect(refused).toMatchObject({ status: 409, body: { code: "activation-off" } });
}, 60_000);
