/** The calls on alerts: what they answer before anything was evaluated, silences and what is wrong with them. */
import { afterAll, describe, expect, test } from "bun:test";
import { ALERT_RULES } from "../../src/observe/alerts/rules.ts";
import { Silences } from "../../src/observe/alerts/silences.ts";
import { createKey } from "../../src/storage/key-store.ts";
import { NativeDisk } from "../../src/storage/native-disk.ts";
import { ApiUnderTest } from "./api-under-test.ts";

const api = new ApiUnderTest();
afterAll(() => api.close());

const PATH = "/api/v1/alerts/silences";
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
const silence = (changes: Record<string, unknown> = {}) => ({
  matchers: [{ name: "severity", value: "info" }],
  until: inAnHour(),
  author: "ada",
  comment: "too loud",
  ...changes,
});

describe("GET /api/v1/alerts and /api/v1/rules", () => {
  test("before the first evaluation every rule is unavailable, and none is ok", async () => {
    const { json } = await api.get("/api/v1/alerts");
    expect(json.status).toBe("success");
    expect([json.data.alerts, json.data.resolved, json.data.evaluated_at]).toEqual([[], [], null]);
    expect(json.data.rules.length).toBe(ALERT_RULES.length);
    for (const rule of json.data.rules) {
      expect([rule.state, rule.value, rule.reason]).toEqual([
        "unavailable",
        null,
        "alerts.enabled or monitoring.enabled is off",
      ]);
    }
  });

  test("rules are in groups as Prometheus shows them, and there are none that record", async () => {
    const { json } = await api.get("/api/v1/rules");
    const rules = json.data.groups.flatMap((group: { rules: unknown[] }) => group.rules);
    expect(rules.length).toBe(ALERT_RULES.length);
    expect(rules[0]).toMatchObject({ type: "alerting", state: "inactive", health: "unknown", alerts: [] });
    expect((await api.get("/api/v1/rules?type=record")).json.data.groups).toEqual([]);
  });
});

describe("/api/v1/alerts/silences", () => {
  test("a silence is made, listed by every worker, and ended once", async () => {
    const made = await api.post(PATH, silence());
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      state: "active",
      matchers: [{ name: "severity", operator: "=", value: "info" }],
      author: "ada",
    });
    const other = new Silences(new NativeDisk(1), api.dataDir, (ms) => Bun.sleep(ms));
    expect(other.holdingFor({ alertname: "X", severity: "info" }, Date.now())).toEqual([made.json.id]);
    expect(other.holdingFor({ alertname: "X", severity: "warning" }, Date.now())).toEqual([]);

    const ended = await api.call("DELETE", `${PATH}/${made.json.id}`);
    expect([ended.status, ended.json.state]).toEqual([200, "ended"]);
    expect(other.holdingFor({ severity: "info" }, Date.now())).toEqual([]);
    const again = await api.call("DELETE", `${PATH}/${made.json.id}`);
    expect([again.status, again.json.code]).toEqual([404, "silence-not-found"]);
    const { json } = await api.get(PATH);
    expect(json.silences.map((each: { id: string; state: string }) => [each.id, each.state])).toEqual([
      [made.json.id, "ended"],
    ]);
  });

  test("what can not be meant is refused, with what was expected", async () => {
    const refused = async (changes: Record<string, unknown>) => {
      const { status, json } = await api.post(PATH, silence(changes));
      return [status, json.code, json.at];
    };
    expect(await refused({ until: "2020-01-01" })).toEqual([400, "request-invalid", "until"]);
    expect(await refused({ until: "2030-02-30T00:00:00Z" })).toEqual([400, "request-invalid", "until"]);
    expect(await refused({ matchers: [] })).toEqual([400, "request-invalid", "matchers"]);
    expect(await refused({ matchers: [{ name: "a b", value: "" }] })).toEqual([
      400,
      "request-invalid",
      "matchers[0].name",
    ]);
    expect(await refused({ matchers: [{ name: "alertname", value: "(", operator: "=~" }] })).toEqual([
      400,
      "request-invalid",
      "matchers[0].value",
    ]);
    expect(await refused({ author: "" })).toEqual([400, "request-invalid", "author"]);
    expect(await refused({ forever: true })).toEqual([400, "request-invalid", "forever"]);
  });

  test("silences that are made at once are all kept", async () => {
    const before = (await api.get(PATH)).json.silences.length;
    const made = await Promise.all(Array.from({ length: 20 }, () => api.post(PATH, silence())));
    expect(made.map(({ status }) => status)).toEqual(new Array(20).fill(201));
    expect((await api.get(PATH)).json.silences.length).toBe(before + 20);
  });

  test("a damaged file of silences silences nothing, and says so", async () => {
    await Bun.write(`${api.dataDir}/silences`, "engram silences 1 00000000 3\n[]\n");
    const silences = new Silences(new NativeDisk(1), api.dataDir, (ms) => Bun.sleep(ms));
    expect(silences.holdingFor({ severity: "info" }, Date.now())).toEqual([]);
    expect(silences.damage).toBe("its checksum is wrong");
    // The next change begins anew, and keeps the damaged one aside.
    expect((await api.post(PATH, silence())).status).toBe(201);
    expect((await api.get(PATH)).json.silences.length).toBe(1);
    expect(await Bun.file(`${api.dataDir}/silences.broken`).text()).toContain("00000000");
  });

  test("to silence takes the right admin, to look the right read", async () => {
    const { key } = await createKey(
      api.dataDir,
      { name: "reader", rights: ["read"], spaces: ["*"] },
      Date.now(),
    );
    api.passASecond();
    const headers = { authorization: `Bearer ${key}` };
    expect((await api.post(PATH, silence(), headers)).json.code).toBe("right-missing");
    expect((await api.call("DELETE", `${PATH}/0`, undefined, headers)).json.code).toBe("right-missing");
    expect((await api.get("/api/v1/alerts", headers)).status).toBe(200);
    expect((await api.get("/api/v1/alerts")).json.code).toBe("key-missing");
  });
});
