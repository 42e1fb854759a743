/** The quick check is held against zod, which decides. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { z } from "zod";
import { Contract, describeValue, pathText } from "../../src/api/contract.ts";
import { nestedDeeperThan } from "../../src/api/json-depth.ts";
import { checkedRecall } from "../../src/api/recall.contract.ts";
import { rememberContracts } from "../../src/api/remember.contract.ts";
import { apiSettings } from "../../src/api/serve.ts";
import { checkedSpace } from "../../src/api/spaces.contract.ts";
import { timeText } from "../../src/api/time-text.ts";
import { checkedRebuild } from "../../src/api/vector-index.contract.ts";
import { Random } from "../../src/base/random.ts";
import { settingsSchema } from "../../src/config/schema.ts";

// Nothing here waits for time; a busy machine is only slow.
setDefaultTimeout(60_000);

const SEED = Number(process.env["ENGRAM_TEST_SEED"] ?? 20260131);
const { checkedMemory, checkedBatch, checkedBatchQuery } = rememberContracts(
  apiSettings(settingsSchema.parse({}), 1).limits,
);
const CONTRACTS = [
  checkedMemory,
  checkedBatch,
  checkedBatchQuery,
  checkedRecall,
  checkedSpace,
  checkedRebuild,
];

/** What JSON.parse can answer: 1e400 is infinite. */
const ODD_VALUES: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -0,
    -1,
    0.5,
    1,
    2,
    10,
    Number.POSITIVE_INFINITY,
    8.65e15,
    2 ** 53,
    "",
    "a",
    "fsync",
  ],
  ...[
    "keep",
    "hybrid",
    "2026-01-31",
    "2026-01-31T12:00:00Z",
    "2026-01-31T12:00",
    "x".repeat(300),
    "\n",
    "\u007f",
  ],
  ...[[], ["a"], ["a", 1], Array(100).fill("a"), {}, { a: 1 }, { __proto__: null }],
];
const FIELDS = [
  ...[
    "content",
    "id",
    "embedding",
    "confidence",
    "timestamp",
    "tags",
    "metadata",
    "ack",
    "if_exists",
    "memories",
  ],
  ...[
    "query",
    "limit",
    "mode",
    "from",
    "to",
    "min_confidence",
    "threshold",
    "explain",
    "ef",
    "name",
    "dimensions",
  ],
  ...["embedder", "language", "M", "ef_construction", "unknown", "constructor", "toString"],
];

test(`Contract's quick check never accepts what zod refuses (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const pick = <T>(from: readonly T[]): T => from[random.u32() % from.length]!;
  let acceptedCount = 0;
  for (let round = 0; round < 20_000; round++) {
    const value: unknown = random.float() < 0.05 ? pick(ODD_VALUES) : {};
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      if (random.float() < 0.8) (value as Record<string, unknown>)["content"] = "x";
      const count = random.u32() % 4;
      for (let i = 0; i < count; i++) (value as Record<string, unknown>)[pick(FIELDS)] = pick(ODD_VALUES);
    }
    for (const contract of CONTRACTS) {
      const quick = contract.surelyValid(value);
      if (quick) {
        acceptedCount++;
        expect([value, contract.schema.safeParse(value).success]).toEqual([value, true]);
      }
    }
  }
  expect(acceptedCount).toBeGreaterThan(1000);
});

test("Contract's quick check accepts the usual requests, so that zod is not asked", () => {
  const memory = { content: "x", id: "a", embedding: [1], confidence: 0.5, timestamp: 5, tags: ["a"] };
  expect(checkedMemory.surelyValid({ ...memory, metadata: { a: [1] }, ack: "wal", if_exists: "keep" })).toBe(
    true,
  );
  expect(checkedMemory.surelyValid({ content: "x", timestamp: "2026-01-31T12:00:00+01:00" })).toBe(true);
  expect(checkedBatch.surelyValid({ memories: [memory], ack: "wal", if_exists: "error" })).toBe(true);
  const recall = {
    query: "x",
    embedding: "AAAA",
    limit: 10,
    mode: "hybrid",
    tags: ["a"],
    from: "2026-01-31",
  };
  expect(
    checkedRecall.surelyValid({ ...recall, min_confidence: 0.5, threshold: 0, explain: true, ef: 64 }),
  ).toBe(true);
});

test("Contract leaves a schema with unknown keywords to zod", () => {
  const even = new Contract(z.strictObject({ n: z.number().multipleOf(2) }));
  expect(even.surelyValid({ n: 2 })).toBe(false);
  expect(even.check({ n: 2 }, "It")).toEqual({ n: 2 });
  expect(() => even.check({ n: 3 }, "It")).toThrow();
});

test("describeValue shows little of a value, and never walks into it", () => {
  let deep: unknown = [];
  for (let i = 0; i < 100_000; i++) deep = [deep];
  expect(describeValue(deep)).toBe("an array of 1");
  expect(describeValue("x".repeat(65))).toBe("a text of 65 characters");
  expect(describeValue(undefined)).toBe("absent");
});

test("pathText writes a path as JavaScript does", () => {
  expect(pathText("", ["memories", 3, "tags", 0])).toBe("memories[3].tags[0]");
  expect(pathText("memories[3]", ["meta data"])).toBe('memories[3]["meta data"]');
});

test("nestedDeeperThan agrees with counting brackets outside of strings", () => {
  const random = new Random(SEED);
  const make = (levels: number): unknown => {
    const kind = random.u32() % 4;
    if (levels === 0 || kind === 0)
      return ['"[{', "\\", '\\"[[', "plain", 5, [-1, 2.5e3], [7]][random.u32() % 7];
    return kind === 1
      ? { ['k"[\\']: make(levels - 1), b: make(levels - 1) }
      : kind === 2
        ? [make(levels - 1), 1, make(levels - 1)]
        : [1, "]", make(levels - 1)];
  };
  const depthOf = (value: unknown): number =>
    typeof value !== "object" || value === null ? 0 : 1 + Math.max(0, ...Object.values(value).map(depthOf));
  for (let round = 0; round < 500; round++) {
    const value = make(random.u32() % 9);
    const depth = depthOf(value);
    for (const spaces of [0, 2]) {
      const text = JSON.stringify(value, null, spaces);
      for (const levels of [0, 1, depth - 1, depth, depth + 1].filter((count) => count >= 0)) {
        expect(nestedDeeperThan(text, levels)).toBe(depth > levels);
      }
    }
  }
});

test("timeText prints what Date prints", () => {
  const random = new Random(SEED);
  for (let round = 0; round < 20_000; round++) {
    const ms = Math.trunc((random.float() - 0.5) * 10 ** (3 + (random.u32() % 13)));
    expect(timeText(ms)).toBe(new Date(ms).toISOString());
  }
  expect(timeText(1.5)).toBe("1970-01-01T00:00:00.001Z");
});

test("a value that no option of a union takes is told what each expects, or what is wrong with the one meant", () => {
  const contract = new Contract(
    z.strictObject({ p: z.record(z.string(), z.union([z.string().max(3), z.number().min(0)])) }),
  );
  const refusal = (value: unknown): string => {
    try {
      contract.check({ p: { x: value } }, "The body");
    } catch (error) {
      return (error as Error).message;
    }
    return "accepted";
  };
  expect(refusal("abc")).toBe("accepted");
  expect(refusal(true)).toContain("p.x should be a text or a finite number, and is boolean true");
  expect(refusal("abcd")).toContain('p.x should be a text of at most 3 characters, and is "abcd"');
  expect(refusal(-1)).toContain("p.x should be at least 0, and is number -1");
  const nested = new Contract(z.union([z.array(z.number()), z.string()]));
  expect(() => nested.check([1, "a"], "The body", "e")).toThrow('e[1] should be a finite number, and is "a"');
});
