/** `tune` against running appliances: badly set ones, a good one, and everything that gets in its way. */
import { afterAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type AuditEntry, TuneFiles } from "../../src/cli/tune/tune-files.ts";
import type { Change } from "../../src/operate/tune/plan.ts";
import { answered } from "../support/appliance-client.ts";
import {
  type ApplianceProcess,
  eventually,
  PROGRAM,
  ScratchDirectory,
} from "../support/appliance-process.ts";
import { type SettingsFile, startWith, work, writeSettings } from "../support/tuned-appliance.ts";
import { run } from "./run-for-test.ts";

const BASE = { "thread_pools.api_workers": 1, "numa.enabled": false, "embedding.dimensions": 256 };
const SHORT = ["--duration", "2", "--concurrency", "4", "--lookback", "5m"];

type Shown = {
  readonly plan: readonly Change[];
  readonly verdict: { readonly isKept: boolean; readonly reason: string } | null;
  readonly before: Readonly<Record<string, number>> | null;
  readonly after: Readonly<Record<string, number>> | null;
  readonly waiting: readonly Change[];
};

const tune = (appliance: ApplianceProcess, file: SettingsFile, ...words: string[]) =>
  run(["tune", "--url", appliance.url, "--config", file.path, ...SHORT, ...words]);

async function tuned(appliance: ApplianceProcess, file: SettingsFile, ...words: string[]): Promise<Shown> {
  const { exitCode, out, err } = await tune(appliance, file, "--json", ...words);
  if (exitCode !== 0) throw new Error(err);
  return JSON.parse(out) as Shown;
}

async function running(appliance: ApplianceProcess, name: string): Promise<unknown> {
  const reply = await fetch(`${appliance.url}/api/v1/system/settings`);
  const { settings } = (await reply.json()) as { settings: { name: string; value: unknown }[] };
  return settings.find((each) => each.name === name)?.value;
}

const audit = (file: SettingsFile): AuditEntry[] => new TuneFiles(file.path).entries();
const litter = (file: SettingsFile): string[] =>
  readdirSync(dirname(file.path)).filter((name) => /journal|backup|\.new$/.test(name));

describe("tune of a search set far too wide", () => {
  const scratch = new ScratchDirectory("tune-wide");
  let appliance: ApplianceProcess;
  let file: SettingsFile;
  afterAll(async () => {
    await appliance.stop();
    scratch[Symbol.dispose]();
  });

  test("--dry-run says what and why, and changes nothing", async () => {
    file = writeSettings(scratch.path, { ...BASE, "index.ef_search": 2048 });
    appliance = await startWith(file, scratch.data);
    await work(appliance, { memories: 8000, recalls: 150 });
    const { exitCode, out } = await tune(appliance, file);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^machine +\d+ cores/);
    expect(out).toMatch(/^disk +.*a sync takes [\d.]+ ms$/m);
    expect(out).toMatch(/^work +\d+ % recalls in the last/m);
    expect(out).toContain("index.ef_search: 2048 -> 64 (live, for speed)");
    expect(out).toMatch(/evidence +a recall computed \d+ distances/);
    expect(readFileSync(file.path, "utf8")).toBe(file.text);
    expect(await running(appliance, "index.ef_search")).toBe(2048);
    expect(audit(file)).toEqual([]);
  }, 90_000);

  test("what can not be written down is not begun: a directory that refuses, a full disk", async () => {
    const journal = `${file.path}.tune-journal.new`;
    for (const [obstruct, errno] of [
      [() => mkdirSync(journal), "EISDIR"],
      [() => symlinkSync("/dev/full", journal), "ENOSPC"],
    ] as const) {
      obstruct();
      const { exitCode, err } = await tune(appliance, file, "--apply");
      expect([exitCode, err]).toEqual([
        73,
        expect.stringContaining(`Cannot write beside ${file.path}: ${errno}; nothing was changed`),
      ]);
      rmSync(journal, { recursive: true, force: true });
      expect(await running(appliance, "index.ef_search")).toBe(2048);
      expect(readFileSync(file.path, "utf8")).toBe(file.text);
      expect(litter(file)).toEqual([]);
    }
  }, 60_000);

  // `script` gives the command a terminal of its own.
  test.skipIf(Bun.which("script") === null)(
    "--interactive asks about each change, and changes nothing that was not wanted",
    async () => {
      const words = [...PROGRAM, "tune", "--interactive", "--url", appliance.url, "--config", file.path];
      const line = words.map((word) => `'${word}'`).join(" ");
      const child = Bun.spawn(["script", "-qec", `${line} --lookback 5m`, "/dev/null"], {
        stdin: "pipe",
        stdout: "pipe",
        stderr: "ignore",
      });
      child.stdin.write("n\n".repeat(5));
      await child.stdin.flush();
      const out = await new Response(child.stdout).text();
      expect(await child.exited).toBe(0);
      expect(out).toContain("index.ef_search: 2048 -> 64");
      expect(out).toContain("Change it? [y/N]");
      expect(await running(appliance, "index.ef_search")).toBe(2048);
      expect(litter(file)).toEqual([]);
    },
    60_000,
  );

  test("a value that does not come from the settings file is left to whoever set it", async () => {
    const other = { path: join(scratch.path, "other.toml"), text: "" };
    const { exitCode, out } = await tune(appliance, other, "--apply");
    expect(exitCode).toBe(0);
    expect(out).toContain("Nothing to change");
    expect(out).toContain("index.ef_search should be 64; its value 2048 does not come from");
    expect(existsSync(other.path)).toBe(false);
  }, 60_000);

  test("Ctrl-C takes back what was begun", async () => {
    const words = ["tune", "--apply", "--url", appliance.url, "--config", file.path, "--lookback", "5m"];
    const child = Bun.spawn([...PROGRAM, ...words], { stdout: "pipe", stderr: "ignore" });
    await eventually("it is under way", () => existsSync(`${file.path}.tune-journal`), { withinMs: 60_000 });
    child.kill("SIGINT");
    const out = await new Response(child.stdout).text();
    expect([await child.exited, out]).toEqual([
      75,
      expect.stringContaining("Interrupted: everything is as it was."),
    ]);
    expect(await running(appliance, "index.ef_search")).toBe(2048);
    expect(readFileSync(file.path, "utf8")).toBe(file.text);
    expect(litter(file)).toEqual([]);
  }, 120_000);

  // What it measures with the corrected setting is work of the appliance, too, and hides from then on what was wrong.
  test("--apply measures, keeps what helped, and writes it down; --rollback takes it back", async () => {
    const shown = await tuned(appliance, file, "--apply", "--duration", "6");
    expect(shown.plan.map(({ path }) => path)).toContain("index.ef_search");
    expect(shown.verdict).toMatchObject({ isKept: true });
    // P99 of two seconds is chance on a busy machine; bench/operate/tune.bench.ts has it.
    expect(shown.after!["latency/p50_ms"]!).toBeLessThan(shown.before!["latency/p50_ms"]! * 0.8);
    expect(shown.after!["recall@10"]!).toBeGreaterThan(0.9);
    expect(await running(appliance, "index.ef_search")).toBe(64);
    expect(readFileSync(file.path, "utf8")).toContain("# The settings of a test.");
    expect(readFileSync(file.path, "utf8")).toContain("ef_search = 64");
    const entry = audit(file).at(-1);
    expect(entry).toMatchObject({ action: "kept", before: shown.before, after: shown.after });
    expect(entry!.by.length).toBeGreaterThan(0);
    expect(litter(file)).toEqual([`config.toml.tune-backup-${entry!.record.id}`]);
    const { spaces } = (await (await fetch(`${appliance.url}/api/v1/spaces`)).json()) as {
      spaces: { name: string }[];
    };
    expect(spaces.map(({ name }) => name)).toEqual(["default"]);

    const back = await tune(appliance, file, "--rollback");
    expect([back.exitCode, back.out]).toEqual([
      0,
      expect.stringContaining("Taken back: index.ef_search = 2048"),
    ]);
    expect(readFileSync(file.path, "utf8")).toBe(file.text);
    expect(await running(appliance, "index.ef_search")).toBe(2048);
    expect(
      audit(file)
        .slice(-2)
        .map(({ action }) => action),
    ).toEqual(["kept", "taken-back"]);
    expect(litter(file)).toEqual([]);
    const again = await tune(appliance, file, "--rollback");
    expect([again.exitCode, again.err]).toEqual([66, expect.stringContaining("Cannot take a tuning back")]);
  }, 180_000);

  test("a tuning killed in the middle is taken back at the next run", async () => {
    // What was measured before with the corrected setting is in the history, too: only what follows is looked at.
    const untilMs = performance.now() + 4000;
    while (performance.now() < untilMs) answered(await appliance.client.recall({ query: "topic 5 place" }));
    const words = [
      "tune",
      "--apply",
      "--url",
      appliance.url,
      "--config",
      file.path,
      "--duration",
      "6",
      "--lookback",
      "4s",
    ];
    const child = Bun.spawn([...PROGRAM, ...words], { stdout: "ignore", stderr: "pipe" });
    await eventually(
      "it measures after the change",
      async () => (await running(appliance, "index.ef_search")) === 64,
      {
        withinMs: 120_000,
      },
    ).finally(() => child.kill("SIGKILL"));
    await child.exited;
    expect(litter(file).some((name) => name.endsWith(".tune-journal"))).toBe(true);
    const back = await tune(appliance, file, "--rollback");
    expect([back.exitCode, back.err]).toEqual([0, expect.stringContaining("was killed before it ended")]);
    expect(await running(appliance, "index.ef_search")).toBe(2048);
    expect(readFileSync(file.path, "utf8")).toBe(file.text);
    expect(litter(file)).toEqual([]);
    const { spaces } = (await (await fetch(`${appliance.url}/api/v1/spaces`)).json()) as {
      spaces: { name: string }[];
    };
    expect(spaces.map(({ name }) => name)).toEqual(["default"]);
  }, 180_000);
});

describe("tune", () => {
  test("it needs the right admin, and says so before it measures", async () => {
    using scratch = new ScratchDirectory("tune-right");
    const file = writeSettings(scratch.path, BASE);
    await using appliance = await startWith(file, scratch.data);
    const created = await run([
      ...["key", "create", "reader", "--rights", "read", "--data", scratch.data],
      "--json",
    ]);
    expect([created.exitCode, created.err]).toEqual([0, ""]);
    // From the first key on every call needs one, as soon as the appliance has seen it.
    await eventually(
      "keys are asked for",
      async () => (await fetch(`${appliance.url}/api/v1/spaces`)).status === 401,
    );
    const keyFile = join(scratch.path, "key");
    writeFileSync(keyFile, (JSON.parse(created.out) as { key: string }).key);
    const { exitCode, err } = await tune(appliance, file, "--apply", "--key-file", keyFile);
    expect([exitCode, err]).toEqual([77, expect.stringContaining("admin")]);
    expect(litter(file)).toEqual([]);
  }, 60_000);

  test.each([
    [["--apply", "--rollback"], 64, "several things at once"],
    [["--profile", "fast"], 64, "There is no profile"],
    [["--interactive"], 64, "no terminal to ask at"],
    [["--duration", "1"], 64, "from 2 to 600"],
    [["--url", "http://192.0.2.1:7432"], 64, "is another machine"],
    [[], 69, "Cannot reach the appliance"],
  ])("tune refuses %j", async (words, exitCode, message) => {
    const ran = await run(["tune", "--url", "http://127.0.0.1:9", ...words]);
    expect([ran.exitCode, ran.err]).toEqual([exitCode, expect.stringContaining(message)]);
  });
});
