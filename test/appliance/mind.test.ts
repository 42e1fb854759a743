/**
 * The mind over HTTP on the whole appliance: what recalls teach, and episodes, links and reinforcement through kill -9.
 *
 * Several clients work at once, each on memories of its own, so that each knows what has to be there; of what was
 * under way when the appliance was killed, either may be.
 */
import { expect, test } from "bun:test";
import { entropySeed, Random } from "../../src/base/random.ts";
import { type ApplianceClient, answered, isCut, type MemoryReply } from "../support/appliance-client.ts";
import { ApplianceProcess, LONG, ScratchDirectory } from "../support/appliance-process.ts";

const CYCLES = LONG ? 50 : 4;
const CLIENTS = 3;
const IDS = 12;
const SETTINGS = {
  "checkpoint.interval_s": 1,
  "checkpoint.log_mb": 8,
  "wal.segment_size_mb": 8,
  "thread_pools.api_workers": 2,
  // Only what the clients do themselves changes memories.
  "forgetting.learn_from_recall": false,
};

/** `useCount` is NaN where it is not known */
type Known = { valence: number; useCount: number };
type Reinforced = { use_count: number };
type Links = { links: { kind: string; id: string; direction: string; strength: number }[] };

/** One client and what it knows. */
class Worker {
  readonly #name: string;
  readonly #random: Random;
  readonly episodes = new Map<string, Known>();
  /** strength by "source>destination" */
  readonly links = new Map<string, number>();
  /** ids whose last change was not answered */
  readonly unsure = new Set<string>();
  acknowledged = 0;

  constructor(name: string, random: Random) {
    this.#name = name;
    this.#random = random;
  }

  /** Works until the connection breaks. */
  async work(client: ApplianceClient): Promise<void> {
    for (;;) {
      const [id, other] = [this.#id(), this.#id()];
      try {
        await this.#step(client, id, other);
        this.acknowledged += 1;
      } catch (error) {
        if (!isCut(error)) throw error;
        this.unsure.add(id).add(other);
        return;
      }
    }
  }

  async #step(client: ApplianceClient, id: string, other: string): Promise<void> {
    const dice = this.#random.below(10);
    if (dice < 4) {
      const valence = Math.round(this.#random.float() * 100) / 100;
      const body = { id, what: `of ${id}`, valence, session: this.#name, if_exists: "replace" };
      answered(await client.call("POST", "/api/v1/episodes/remember", body));
      this.episodes.set(id, { valence, useCount: this.episodes.get(id)?.useCount ?? 0 });
    } else if (dice < 5) {
      const { ok } = await client.forget(id, "fsync");
      expect(ok).toBe(this.episodes.delete(id));
      for (const key of [...this.links.keys()]) if (key.split(">").includes(id)) this.links.delete(key);
    } else if (dice < 6) {
      const reply = await client.call<Reinforced>("POST", `/api/v1/memories/${id}/reinforce`);
      const known = this.episodes.get(id);
      expect(reply.ok).toBe(known !== undefined);
      if (known !== undefined) {
        const { use_count: useCount } = answered(reply);
        // Replacing an episode hands its uses on.
        if (!Number.isNaN(known.useCount)) expect(useCount).toBe(known.useCount + 1);
        known.useCount = useCount;
      }
    } else if (dice < 9) {
      if (id === other) return;
      const strength = (1 + this.#random.below(8)) / 8;
      const reply = await client.call("POST", "/api/v1/links", { source: id, destination: other, strength });
      expect(reply.ok).toBe(this.episodes.has(id) && this.episodes.has(other));
      if (reply.ok) this.links.set(`${id}>${other}`, strength);
    } else {
      const reply = await client.call("DELETE", `/api/v1/links?source=${id}&destination=${other}`);
      expect(reply.ok).toBe(this.links.delete(`${id}>${other}`));
    }
  }

  /** Compares what is there with what was acknowledged; what was under way is taken over as it is. */
  async compare(client: ApplianceClient, where: string): Promise<void> {
    for (let i = 0; i < IDS; i++) {
      const id = `${this.#name}-${i}`;
      const reply = await client.call<MemoryReply>("GET", `/api/v1/memories/${id}`);
      const known = this.episodes.get(id);
      if (this.unsure.has(id)) {
        if (!reply.ok) this.episodes.delete(id);
        else this.episodes.set(id, { valence: reply.body.valence!, useCount: Number.NaN });
      } else {
        expect(reply.ok ? reply.body.valence : undefined, `${where}: ${id}`).toBe(known?.valence);
      }
    }
    for (let i = 0; i < IDS; i++) await this.#compareLinks(client, `${this.#name}-${i}`, where);
    this.unsure.clear();
  }

  async #compareLinks(client: ApplianceClient, id: string, where: string): Promise<void> {
    const { links } = this.episodes.has(id)
      ? answered(await client.call<Links>("GET", `/api/v1/links?id=${id}&kind=link`))
      : { links: [] };
    const found = new Map(links.map((each) => [keyOf(id, each), each.strength]));
    for (const [key, strength] of found) {
      // At both ends the same, and between memories that are there.
      const [source = "", destination = ""] = key.split(">");
      expect(this.episodes.has(source) && this.episodes.has(destination), `${where}: ${key}`).toBe(true);
      if (this.unsure.has(source) || this.unsure.has(destination)) this.links.set(key, strength);
      else expect(this.links.get(key), `${where}: ${key}`).toBe(strength);
    }
    for (const key of [...this.links.keys()]) {
      const [source = "", destination = ""] = key.split(">");
      if ((source !== id && destination !== id) || found.has(key)) continue;
      const isUnsure = this.unsure.has(source) || this.unsure.has(destination);
      expect(isUnsure, `${where}: ${key} is missing`).toBe(true);
      this.links.delete(key);
    }
  }

  #id(): string {
    return `${this.#name}-${this.#random.below(IDS)}`;
  }
}

function keyOf(id: string, link: { id: string; direction: string }): string {
  return link.direction === "out" ? `${id}>${link.id}` : `${link.id}>${id}`;
}

test(
  `episodes, links and uses that were acknowledged are there after each of ${CYCLES} kills`,
  async () => {
    using directory = new ScratchDirectory("mind");
    const seed = Number(process.env["ENGRAM_TEST_SEED"] ?? entropySeed() >>> 0);
    const random = new Random(seed);
    console.log(`seed ${seed}, ${CYCLES} cycles`);
    const workers = Array.from({ length: CLIENTS }, (_, i) => new Worker(`w${i}`, random));
    for (let cycle = 0; cycle <= CYCLES; cycle++) {
      const where = `seed ${seed}, cycle ${cycle}`;
      await using appliance = await ApplianceProcess.start({ data: directory.data, settings: SETTINGS });
      const { client } = appliance;
      if (cycle === 0) answered(await client.createSpace({ name: "default" }));
      for (const worker of workers) await worker.compare(client, where);
      if (cycle === CYCLES) break;
      const working = Promise.all(workers.map((worker) => worker.work(client)));
      await Promise.race([Bun.sleep(300 + random.below(1500)), working]);
      await appliance.kill();
      await working;
    }
    const acknowledged = workers.reduce((sum, worker) => sum + worker.acknowledged, 0);
    console.log(`${acknowledged} acknowledged`);
    expect(acknowledged).toBeGreaterThan(CYCLES * 20);
  },
  LONG ? 600_000 : 120_000,
);

test("recalls of every mode find the kinds that were asked for, before and after a restart", async () => {
  using directory = new ScratchDirectory("mind-kinds");
  const start = { data: directory.data, settings: { ...SETTINGS, "thread_pools.api_workers": 1 } };
  for (const isFirst of [true, false]) {
    await using appliance = await ApplianceProcess.start(start);
    const { client } = appliance;
    if (isFirst) {
      answered(await client.remember({ id: "plain", content: "rain over the harbour" }));
      const episode = { id: "lived", what: "rain over the harbour", who: ["Mia"] };
      answered(await client.call("POST", "/api/v1/episodes/remember", episode));
    }
    for (const mode of ["hybrid", "vector", "words"]) {
      const idsOf = async (kinds: string[] | undefined): Promise<string[]> => {
        const body = { query: "harbour rain", mode, kinds };
        const reply = await client.call<{ memories: MemoryReply[] }>("POST", "/api/v1/memories/recall", body);
        return answered(reply)
          .memories.map(({ id }) => id)
          .sort();
      };
      expect([mode, await idsOf(undefined)]).toEqual([mode, ["lived", "plain"]]);
      expect([mode, await idsOf(["episode"])]).toEqual([mode, ["lived"]]);
      expect([mode, await idsOf(["memory", "concept"])]).toEqual([mode, ["plain"]]);
      expect([mode, await idsOf(["concept"])]).toEqual([mode, []]);
    }
    expect(await appliance.stop()).toBe(0);
  }
}, 60_000);

test.each([true, false])(
  "with forgetting.learn_from_recall %p, what is recalled together is used or left alone",
  async (learns) => {
    using directory = new ScratchDirectory("mind-learn");
    await using appliance = await ApplianceProcess.start({
      data: directory.data,
      settings: { "thread_pools.api_workers": 1, "forgetting.learn_from_recall": learns },
    });
    const { client } = appliance;
    for (const id of ["tea", "coffee"]) answered(await client.remember({ id, content: `a cup of ${id}` }));
    const link = { source: "tea", destination: "coffee", strength: 0.5 };
    answered(await client.call("POST", "/api/v1/links", link));
    answered(await client.recall({ query: "cup", mode: "words" }));
    const strengthNow = async () =>
      answered(await client.call<Links>("GET", "/api/v1/links?id=tea&kind=link")).links[0]!.strength;
    const deadlineMs = performance.now() + (learns ? 30_000 : 1500);
    while ((await strengthNow()) === 0.5 && performance.now() < deadlineMs) await Bun.sleep(20);
    expect(await strengthNow()).toBe(learns ? 0.525 : 0.5);
    const { use_count: useCount } = answered(
      await client.call<Reinforced>("POST", "/api/v1/memories/tea/reinforce"),
    );
    expect(useCount).toBe(learns ? 2 : 1);
  },
  60_000,
);
