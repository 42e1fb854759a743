import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ReportDirectory } from "../../src/cli/report-directory.ts";
import { createKey } from "../../src/storage/key-store.ts";
import { ApiUnderTest } from "../api/api-under-test.ts";
import { ScratchDirectory } from "../support/appliance-process.ts";
import { freePort } from "../support/free-port.ts";
import { run } from "./run-for-test.ts";

/** A file system in memory that is soon full. */
class SmallDisk {
  readonly path: string;

  constructor(path: string, size: string) {
    this.path = path;
    mkdirSync(path);
    const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path]);
    if (mounted.exitCode !== 0) throw new Error(mounted.stderr.toString());
  }

  [Symbol.dispose](): void {
    Bun.spawnSync(["umount", this.path]);
  }
}

const NO_SMALL_DISK = ((): string | undefined => {
  using scratch = new ScratchDirectory("small-disk");
  try {
    using _disk = new SmallDisk(join(scratch.path, "disk"), "64k");
    return undefined;
  } catch (error) {
    return `no file system can be mounted here: ${error instanceof Error ? error.message.trim() : error}`;
  }
})();
if (NO_SMALL_DISK !== undefined) console.warn(`a full disk is not tried: ${NO_SMALL_DISK}`);

describe("profile", () => {
  const scratch = new ScratchDirectory("profile-cli");
  let api: ApiUnderTest;
  beforeAll(() => {
    api = new ApiUnderTest();
  });
  afterAll(() => {
    api.close();
    scratch[Symbol.dispose]();
  });
  const inside = (name: string): string => join(scratch.path, name);

  test("profile writes report.json, shows what it found, and --diff finds it the same as itself", async () => {
    const out = inside("whole");
    const ran = await run(["profile", "--url", api.url, "--duration", "2", "--out", out]);
    expect(ran.exitCode).toBe(0);
    expect(ran.err).toContain("watching");
    expect(ran.out).toContain("No bottleneck was found");
    expect(ran.out).toContain(`Written to ${out}`);
    const report = JSON.parse(readFileSync(join(out, "report.json"), "utf8"));
    expect(report).toMatchObject({ format: 1, appliance: { url: api.url } });
    expect(report.measured.threads.length).toBeGreaterThan(0);
    expect(report.cost.cpu_with).toBeGreaterThan(0);
    const same = await run(["profile", "--diff", out, out]);
    expect([same.exitCode, same.out]).toEqual([
      0,
      "Neither profile names a bottleneck\n\nNo figure differs by more than 20 %\n",
    ]);
  });

  test("profile refuses an appliance that does not answer, and leaves no directory", async () => {
    const out = inside("unreachable");
    const ran = await run(["profile", "--url", `http://127.0.0.1:${freePort()}`, "--out", out]);
    expect(ran.exitCode).toBe(69);
    expect(ran.err).toContain("appliance-unreachable");
    expect(existsSync(out)).toBe(false);
  });

  test("profile refuses a directory that can not be made before it watches anything", async () => {
    writeFileSync(inside("file"), "");
    const ran = await run(["profile", "--url", api.url, "--out", join(inside("file"), "below")]);
    expect(ran.exitCode).toBe(73);
    expect(ran.err).toContain("Cannot write the report to");
    expect(ran.err).toContain("report-unwritable");
    expect(ran.err).not.toContain("watching");
  });

  test("profile refuses a key without the right, and leaves no directory", async () => {
    const locked = new ApiUnderTest({
      settings: (standard) => ({ ...standard, access: { ...standard.access, requireKeys: true } }),
    });
    try {
      const { key } = await createKey(
        locked.dataDir,
        { name: "reader", spaces: ["*"], rights: ["read"] },
        Date.now(),
      );
      const keyFile = inside("key");
      writeFileSync(keyFile, key);
      locked.passASecond();
      const out = inside("denied");
      const ran = await run(["profile", "--url", locked.url, "--key-file", keyFile, "--out", out]);
      expect(ran.exitCode).toBe(77);
      expect(ran.err).toContain("admin");
      expect(existsSync(out)).toBe(false);
    } finally {
      locked.close();
    }
  });

  test.skipIf(NO_SMALL_DISK !== undefined)(
    `profile refuses a full disk before it watches, and leaves nothing on one that fills${NO_SMALL_DISK ? ` (skipped: ${NO_SMALL_DISK})` : ""}`,
    async () => {
      using disk = new SmallDisk(inside("disk"), "64k");
      const ran = await run(["profile", "--url", api.url, "--out", join(disk.path, "report")]);
      expect(ran.exitCode).toBe(73);
      expect(ran.err).toContain("ENOSPC");
      expect(ran.err).toContain("Free space there");
      expect(ran.err).not.toContain("watching");
      expect(readdirSync(disk.path)).toEqual([]);

      using filling = new SmallDisk(inside("filling"), "8m");
      const directory = ReportDirectory.open(filling.path);
      const files = { "report.json": "{}", "report.html": new Uint8Array(16 * 1024 * 1024) };
      expect(() => directory.write(files)).toThrow("ENOSPC");
      expect(readdirSync(filling.path)).toEqual([]);
    },
  );

  test("profile that is interrupted writes nothing and takes its directory away", async () => {
    const out = inside("interrupted");
    const running = run(["profile", "--url", api.url, "--duration", "30", "--out", out]);
    const deadline = performance.now() + 10_000;
    while (!existsSync(out) && performance.now() < deadline) await Bun.sleep(10);
    process.emit("SIGINT");
    const ran = await running;
    expect(ran.exitCode).toBe(75);
    expect(ran.err).toContain("interrupted: nothing is written");
    expect(existsSync(out)).toBe(false);
  });

  test("profile says what is wrong with a command line", async () => {
    const wrong = async (...words: string[]) => {
      const { exitCode, err } = await run(["profile", ...words]);
      expect(exitCode).toBe(64);
      return err;
    };
    expect(await wrong("--duration", "1")).toContain("Give a whole number from 2 to 3600");
    expect(await wrong("somewhere")).toContain('Cannot profile "somewhere"');
    expect(await wrong("--diff", "one")).toContain("--diff takes two directories");
  });

  test("profile --diff names a file that is no report", async () => {
    const ran = await run(["profile", "--diff", scratch.path, scratch.path]);
    expect(ran.exitCode).toBe(66);
    expect(ran.err).toContain("profile-unreadable");
  });
});

describe("ReportDirectory", () => {
  test("ReportDirectory leaves nothing of files that could not all be written", () => {
    using scratch = new ScratchDirectory("report-directory");
    const directory = ReportDirectory.open(join(scratch.path, "a/b"));
    expect(() => directory.write({ "one.json": "1", "missing/two.json": "2" })).toThrow(
      "Cannot write the report",
    );
    expect(readdirSync(directory.path)).toEqual([]);
    directory.discard();
    expect(readdirSync(scratch.path)).toEqual([]);
  });
});
