/** Whatever clients send, the number of series stays what the catalogue allows, and none bears what was sent. */
import { expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { CATALOGUE, declarationOf, METRIC_NAMES, SPACES_NAMED_MAX } from "../../src/observe/catalogue.ts";
import { HISTORY_SHAPE } from "../../src/observe/history-layout.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

const THREADS_MAX = 8;
const SETTINGS = { "thread_pools.api_workers": 2, "numa.enabled": false, "spaces.max": 400 };

/** Series that the catalogue allows at most, as lines of the text format. */
function seriesMax(): number {
  let sum = 0;
  for (const name of METRIC_NAMES) {
    const { kind, labels, shown, perThread } = declarationOf(name);
    let series = perThread === true ? THREADS_MAX : 1;
    for (const values of Object.values(labels)) {
      series *= "countMax" in values ? values.countMax : values.length;
    }
    const lines = kind === "histogram" ? (shown === undefined ? 64 : shown[1] - shown[0] + 2) + 2 : 1;
    sum += series * lines;
  }
  return sum;
}

const seriesOf = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.slice(0, line.lastIndexOf(" ")));

test("the number of series stays bounded whatever clients send", async () => {
  using scratch = new ScratchDirectory("series");
  await using appliance = await ApplianceProcess.start({ data: scratch.data, settings: SETTINGS });
  const { url } = appliance;
  const random = new Random(11);
  const odd = (): string => {
    const letters = "abcXYZ019._-%20%00%22%7B%7D/..;=é\u202e";
    return Array.from({ length: 1 + random.below(40) }, () => letters[random.below(letters.length)]).join("");
  };
  const send = async (path: string, init: RequestInit = {}): Promise<void> => {
    const reply = await fetch(url + path, init).catch(() => undefined);
    await reply?.arrayBuffer();
  };
  const storm = async (mark: string, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const name = `${mark}-${i}`;
      const headers = {
        "content-type": "application/json",
        "x-memory-space": name,
        "user-agent": name,
        traceparent: `00-${String(i).padStart(32, "0")}-00f067aa0ba902b7-01`,
        [`x-${mark}-${i}`]: name,
      };
      const body = JSON.stringify({
        content: `${name} said`,
        id: name,
        tags: [name],
        metadata: { [name]: name },
      });
      await send("/api/v1/memories/remember", { method: "POST", headers, body });
      await send(`/api/v1/memories/recall?query=${name}&tags=${name}`, { headers });
      await send(`/api/v1/memories/${encodeURIComponent(odd())}`, { headers });
      await send(`/${name}/${encodeURIComponent(odd())}?${encodeURIComponent(odd())}`, { method: "PUT" });
      await send("/api/v1/memories/recall", { headers: { "x-memory-space": encodeURIComponent(odd()) } });
      await send("/metrics", { headers: { accept: `${name}/*;q=${i}` } });
      await send(`/api/v1/query?query=${name.replaceAll("-", "_")}{a="${encodeURIComponent(odd())}"}`);
      await send(`/api/v1/slow-queries?space=${encodeURIComponent(odd())}&operation=${name}`);
    }
  };
  const scraped = async () => seriesOf(await (await fetch(`${url}/metrics`)).text());

  // More spaces than are shown by name, so that what comes after finds no place.
  await storm("first", SPACES_NAMED_MAX + 20);
  // What recording costs is said last, after some seconds.
  await eventually("every figure is there", async () =>
    (await scraped()).some((series) => series.startsWith("engram_observe_recording_ratio")),
  );
  const before = new Set(await scraped());
  await storm("second", 150);
  await Bun.sleep(1500);
  const after = await scraped();
  expect(after.length).toBe(new Set(after).size);
  expect(after.length).toBeLessThanOrEqual(seriesMax());
  expect(after.length).toBeLessThan(HISTORY_SHAPE.seriesCountMax);
  // Threads that were still starting, and states of counters, may appear; nothing that a client named does.
  const added = after.filter((series) => !before.has(series));
  expect(added.filter((series) => series.includes("second-"))).toEqual([]);
  expect(
    added.filter((series) => !/thread=|outcome=|status=|page=|le=|quantile=|stage=/.test(series)),
  ).toEqual([]);
  const named = after.filter((series) => series.includes("first-"));
  const perSpace = Object.values(CATALOGUE).filter(({ labels }) => "space" in labels).length;
  expect(named.length).toBeLessThanOrEqual(SPACES_NAMED_MAX * perSpace);
  expect(named.length).toBeGreaterThan(0);

  // The history took no more.
  const kept = (await (await fetch(`${url}/api/v1/series?match[]={__name__=~".%2B"}`)).json()) as {
    data: Record<string, string>[];
  };
  expect(kept.data.length).toBeGreaterThan(after.length / 2);
  expect(kept.data.length).toBeLessThanOrEqual(seriesMax());
  expect(kept.data.filter((labels) => JSON.stringify(labels).includes("second-"))).toEqual([]);
}, 120_000);
