import { describe, expect, test } from "bun:test";
import {
  type Candidate,
  type Completion,
  completePattern,
  matchOf,
  type TooLittle,
} from "../../src/cognition/completion.ts";
import { imagineScenes, type Source } from "../../src/cognition/imagination.ts";
import { predictSuccessors, type Succession } from "../../src/cognition/prediction.ts";

const candidate = (id: string, pattern: Candidate["pattern"], whatMatch = 0, retention = 1): Candidate => ({
  id,
  pattern,
  whatMatch,
  retention,
});
const EPISODES = [
  candidate("signed", {
    what: "Ada signed the contract",
    who: ["Ada", "Rui"],
    where: "Lisbon",
    how: "quietly",
  }),
  candidate("flats", {
    what: "Ada looked at flats",
    who: ["Ada"],
    where: "Lisbon",
    why: "the old one was loud",
  }),
  candidate("seals", { what: "Grace saw seals", who: ["Grace"], where: "the coast" }),
];

describe("completePattern", () => {
  test("completePattern fills what is missing from the episode that holds the fragment, and names it", () => {
    const done = completePattern({ who: "Grace", where: "The Coast" }, EPISODES) as Completion;
    expect(done.filled.map(({ field, value, sources }) => [field, value, sources])).toEqual([
      ["what", "Grace saw seals", ["seals"]],
    ]);
    expect(done.evidence).toBe(1);
    expect(done.confidence).toBeGreaterThan(0.9);
    expect(done.plausibility).toBeGreaterThan(0.9);
    expect(done.unknown).toEqual(["when", "why", "how"]);
  });

  test("completePattern gives alternatives where episodes compete, and is less sure", () => {
    const done = completePattern({ who: "Ada", where: "Lisbon" }, EPISODES) as Completion;
    const what = done.filled.find(({ field }) => field === "what")!;
    expect([what.value, ...what.alternatives.map(({ value }) => value)].sort()).toEqual([
      "Ada looked at flats",
      "Ada signed the contract",
    ]);
    expect(what.confidence).toBeLessThan(0.6);
    // Why comes from one episode and how from the other: that does not belong together.
    expect(done.plausibility).toBeLessThan(0.8);
  });

  test("completePattern lets what has faded give way", () => {
    const faded = EPISODES.map((each) => (each.id === "signed" ? { ...each, retention: 0.1 } : each));
    const what = (episodes: readonly Candidate[]) =>
      (completePattern({ who: "Ada", where: "Lisbon" }, episodes) as Completion).filled[0]!;
    expect(what(faded).value).toBe("Ada looked at flats");
    expect(what(faded).confidence).toBeGreaterThan(0.8);
  });

  test("completePattern refuses too little, and names the field that would tell the candidates apart", () => {
    const refused = completePattern({ why: "because" }, EPISODES);
    expect(refused).toMatchObject({ evidence: 0 });
    expect((refused as TooLittle).wouldHelp[0]).toBe("what");
    expect(completePattern({ who: "Nobody" }, [])).toEqual({
      evidence: 0,
      wouldHelp: ["what", "where", "when"],
    });
  });

  test("matchOf compares people, places and times as they are meant", () => {
    expect(matchOf("who", ["ada", "Rui"], ["Ada"])).toBe(0.5);
    expect(matchOf("where", "old mill", "the old mill")).toBeCloseTo(0.8, 10);
    expect(matchOf("when", "2026-05-01", "2026-05-01T17:00:00.000Z")).toBe(1);
    expect(matchOf("when", "2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z")).toBeCloseTo(Math.exp(-1), 10);
    expect(matchOf("when", "last summer", "2026-05-02T00:00:00Z")).toBe(0);
  });
});

describe("imagineScenes", () => {
  const SOURCES: Source[] = [
    {
      id: "a",
      pattern: { what: "flying kites", who: ["Ada"], where: "the hill" },
      session: "spring",
      weight: 1,
    },
    {
      id: "b",
      pattern: { what: "a picnic", who: ["Rui"], where: "the beach" },
      session: "spring",
      weight: 0.8,
    },
    {
      id: "c",
      pattern: { what: "a picnic", who: ["Ada"], where: "the park" },
      session: "summer",
      weight: 0.5,
    },
  ];

  test("imagineScenes puts parts of several episodes together that never were together", () => {
    const scenes = imagineScenes(SOURCES, 50);
    expect(scenes.length).toBeGreaterThan(3);
    for (const { parts, plausibility } of scenes) {
      expect(new Set(parts.map(({ source }) => source)).size).toBeGreaterThan(1);
      expect(plausibility).toBeGreaterThan(0);
      expect(plausibility).toBeLessThanOrEqual(1);
      const values = parts.map(({ value }) => JSON.stringify(value)).join();
      for (const { pattern } of SOURCES) {
        expect(values).not.toBe(
          [pattern.what, pattern.who, pattern.where].map((each) => JSON.stringify(each)).join(),
        );
      }
    }
  });

  test("imagineScenes finds plausible what goes together elsewhere", () => {
    const scenes = imagineScenes(SOURCES, 50);
    const plausibilityOf = (what: string, who: string, where: string): number =>
      scenes.find(({ parts }) => String(parts.map(({ value }) => value)) === [what, who, where].join())!
        .plausibility;
    // Ada has been on a picnic, and was there in the spring of the beach.
    expect(plausibilityOf("a picnic", "Ada", "the beach")).toBeGreaterThan(
      plausibilityOf("flying kites", "Rui", "the park"),
    );
  });

  test("imagineScenes has nothing to say from one episode", () => {
    expect(imagineScenes(SOURCES.slice(0, 1), 5)).toEqual([]);
    expect(imagineScenes([], 5)).toEqual([]);
  });
});

describe("predictSuccessors", () => {
  const follows = (changes: Partial<Succession>): Succession => ({
    situation: "s",
    weight: 1,
    successor: "tea",
    by: "temporal",
    strength: 0.8,
    delayMs: 1000,
    ...changes,
  });

  test("predictSuccessors adds up what followed, and shares out certainty", () => {
    const found = predictSuccessors(
      [
        follows({ situation: "s1" }),
        follows({ situation: "s2" }),
        follows({ situation: "s3", successor: "coffee" }),
      ],
      60_000,
      10,
    );
    expect(found.map(({ id }) => id)).toEqual(["tea", "coffee"]);
    expect(found[0]!.probability).toBeCloseTo(2 / 3, 10);
    expect(found[0]!.evidence).toEqual(["s1", "s2"]);
    expect(found[0]!.delayMs).toBe(1000);
  });

  test("predictSuccessors lets causes, likeness and nearness in time count", () => {
    const order = (a: Partial<Succession>, b: Partial<Succession>): string[] =>
      predictSuccessors(
        [follows({ successor: "a", ...a }), follows({ successor: "b", ...b })],
        60_000,
        2,
      ).map(({ id }) => id);
    expect(order({ by: "temporal" }, { by: "cause" })).toEqual(["b", "a"]);
    expect(order({ weight: 0.2 }, { weight: 1 })).toEqual(["b", "a"]);
    expect(order({ delayMs: 40_000 }, { delayMs: 500 })).toEqual(["b", "a"]);
  });

  test("predictSuccessors leaves out what came too late, and answers nothing from nothing", () => {
    expect(predictSuccessors([follows({ delayMs: 60_001 })], 60_000, 5)).toEqual([]);
    expect(predictSuccessors([], 60_000, 5)).toEqual([]);
  });
});
