import { afterEach, beforeEach, expect, test } from "bun:test";
import { changedReply, settingsReply } from "../../src/api/running-settings.contract.ts";
import { SETTINGS } from "../../src/config/schema.ts";
import { createKey } from "../../src/storage/key-store.ts";
import { ApiUnderTest } from "./api-under-test.ts";

const PATH = "/api/v1/system/settings";
let api: ApiUnderTest;
beforeEach(() => {
  api = new ApiUnderTest();
});
afterEach(() => api.close());

test("GET settings answers every setting with what runs, its default and whether it is live", async () => {
  api.runningSettings.index.ef_search = 99;
  const { status, json } = await api.get(PATH);
  expect(status).toBe(200);
  const { settings } = settingsReply.parse(json);
  expect(settings.map(({ name }) => name)).toEqual(SETTINGS.map(({ path }) => path));
  expect(settings).toContainEqual({ name: "index.ef_search", value: 99, default: 64, live: true });
  expect(settings).toContainEqual({ name: "server.port", value: 7432, default: 7432, live: false });
});

test("PATCH settings changes those that are live, all or none", async () => {
  const changed = await api.call("PATCH", PATH, { "index.ef_search": 128, "wal.sync_mode": "immediate" });
  expect(changed.status).toBe(200);
  expect(changedReply.parse(changed.json)).toEqual({
    changed: [{ name: "index.ef_search", from: 64, to: 128 }],
  });
  expect(api.runningSettings.index.ef_search).toBe(128);
  const refused = await api.call("PATCH", PATH, { "index.ef_search": 70, "server.port": 1 });
  expect(refused.status).toBe(409);
  expect(refused.json).toMatchObject({ code: "setting-not-live", at: "server.port", received: "1" });
  expect(api.runningSettings.index.ef_search).toBe(128);
});

test("PATCH settings refuses what is no setting, no value of it, and no object", async () => {
  const cases: [unknown, Record<string, unknown>][] = [
    [{ "index.ef_serch": 1 }, { at: "index.ef_serch", expected: "the name of a setting" }],
    [
      { "index.ef_search": 4 },
      { at: "index.ef_search", expected: "a whole number from 8 to 4096 (candidates)", received: "4" },
    ],
    [{ "logging.level": "loud" }, { at: "logging.level", received: '"loud"' }],
    [{ "index.ef_search": [1] }, {}],
    [[], {}],
    ["{", {}],
  ];
  for (const [body, problem] of cases) {
    const { status, json } = await api.call("PATCH", PATH, body);
    expect([body, status]).toEqual([body, 400]);
    expect(json).toMatchObject(problem);
    expect(json.remedy.length).toBeGreaterThan(5);
  }
});

test("the settings are for those with the right to administer", async () => {
  const key = await createKey(
    api.dataDir,
    { name: "r", rights: ["read", "write"], spaces: ["*"] },
    Date.now(),
  );
  const admin = await createKey(api.dataDir, { name: "a", rights: ["admin"], spaces: ["*"] }, Date.now());
  api.passASecond();
  const as = (text: string) => ({ authorization: `Bearer ${text}` });
  for (const method of ["GET", "PATCH"]) {
    const body = method === "GET" ? undefined : {};
    expect((await api.call(method, PATH, body)).status).toBe(401);
    expect((await api.call(method, PATH, body, as(key.key))).status).toBe(403);
    expect((await api.call(method, PATH, body, as(admin.key))).status).toBe(200);
  }
});
