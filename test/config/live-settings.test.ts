import { describe, expect, test } from "bun:test";
import { changesBetween, checkChanges, makeChanges, undoing } from "../../src/config/live-settings.ts";
import { SETTINGS, settingsSchema, settingValue } from "../../src/config/schema.ts";

const standard = () => settingsSchema.parse({});
const problemOf = (values: Record<string, unknown>) => {
  const checked = checkChanges(standard(), values);
  return "problem" in checked ? checked.problem : undefined;
};

describe("checkChanges", () => {
  test("checkChanges answers what changes, and leaves out what is so already", () => {
    const values = { "index.ef_search": 128, "logging.level": "info", "wal.sync_mode": "batch" };
    expect(checkChanges(standard(), values)).toEqual({
      changes: [
        { path: "index.ef_search", from: 64, to: 128 },
        { path: "wal.sync_mode", from: "immediate", to: "batch" },
      ],
    });
  });

  test("checkChanges refuses names, values and settings that can not change, and says what it expected", () => {
    expect(problemOf({ "index.ef_serch": 1 })).toMatchObject({
      kind: "unknown",
      message: "index.ef_serch: no such setting; did you mean index.ef_search?",
    });
    for (const value of [7, 4097, 64.5, "128", true, null]) {
      expect(problemOf({ "index.ef_search": value })).toMatchObject({
        kind: "invalid",
        path: "index.ef_search",
        expected: "a whole number from 8 to 4096 (candidates)",
      });
    }
    expect(problemOf({ "server.port": 1 })).toMatchObject({ kind: "not-live", path: "server.port" });
    expect(problemOf({ __proto__: null, "constructor.name": "x" })).toMatchObject({ kind: "unknown" });
    expect(problemOf({ "index.ef_search": 128, "server.port": 1 })).toMatchObject({ kind: "not-live" });
  });

  test("checkChanges changes nothing by itself", () => {
    const running = standard();
    checkChanges(running, { "index.ef_search": 128 });
    expect(running).toEqual(standard());
  });
});

test("makeChanges sets values in place, and undoing takes them back", () => {
  const running = standard();
  const { monitoring } = running;
  const checked = checkChanges(running, { "monitoring.enabled": false, "index.ef_search": 99 });
  if (!("changes" in checked)) throw new Error("these may change");
  makeChanges(running, checked.changes);
  expect([monitoring.enabled, running.index.ef_search]).toEqual([false, 99]);
  makeChanges(running, undoing(checked.changes));
  expect(running).toEqual(standard());
});

test("changesBetween tells what is live from what waits for a start", () => {
  const wanted = settingsSchema.parse({ index: { ef_search: 99, M: 32 }, server: { port: 1 } });
  expect(changesBetween(standard(), wanted)).toEqual({
    live: [{ path: "index.ef_search", from: 64, to: 99 }],
    waiting: [
      { path: "server.port", from: 7432, to: 1 },
      { path: "index.M", from: 16, to: 32 },
    ],
  });
  expect(changesBetween(standard(), standard())).toEqual({ live: [], waiting: [] });
});

test("every live setting can be changed to another value of its range", () => {
  const live = SETTINGS.filter(({ facts }) => facts.live === true);
  expect(live.length).toBeGreaterThan(15);
  for (const { path, facts } of live) {
    const running = standard();
    const from = settingValue(running, path);
    const to =
      facts.kind === "toggle"
        ? from !== true
        : facts.kind === "choice"
          ? Object.keys(facts.choices).find((word) => word !== from)!
          : facts.kind === "text"
            ? "other"
            : facts.min === from
              ? facts.max
              : facts.min;
    expect(checkChanges(running, { [path]: to })).toEqual({ changes: [{ path, from, to }] });
  }
});
