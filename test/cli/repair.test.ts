/** `doctor --repair` on real files: what it refuses, what it asks, what it does and says. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandContext } from "../../src/cli/command.ts";
import { type RepairReport, repair } from "../../src/cli/doctor/repair.ts";
import { DataDirectory } from "../../src/storage/data-directory.ts";
import { LocalLog } from "../../src/storage/local-log.ts";
import { NativeDisk } from "../../src/storage/native-disk.ts";
import { appendRecord, makeRecord } from "../storage/log-model.ts";
import { run } from "./run-for-test.ts";

const RECORDS = 40;
/** wal.segment_size_mb in the environment of every command here */
const SEGMENT_BYTES = 8 * 1024 * 1024;
const environment = { ENGRAM_CONFIG: "", ENGRAM_WAL__SEGMENT_SIZE_MB: "8" };

let dir = "";
let data = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "engram-repair-"));
  data = join(dir, "data");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const doctor = (...words: string[]) => run(["doctor", "--data", data, ...words], { environment });

/** A data directory of one log with 40 records; answers how to open its log. */
function makeData() {
  const disk = new NativeDisk(1);
  const directory = new DataDirectory({ disk, path: data, pid: process.pid, version: "0", nowMs: 0 });
  const next = directory.beginTopology(1);
  const [place] = next.places;
  const options = {
    disk,
    directory: place!.log,
    topology: place!.topology,
    stream: 0,
    segmentBytes: SEGMENT_BYTES,
    bufferBytes: 1024 * 1024,
  };
  const log = LocalLog.create(options);
  for (let sequence = 1; sequence <= RECORDS; sequence++) appendRecord(log, makeRecord(sequence, 3, 600));
  log.sync();
  log.close();
  next.commit();
  directory.close();
  return { options, segment: join(place!.log, readdirSync(place!.log)[0]!) };
}

/** Damages the log in the middle; recovery refuses it then. */
function damage({ options, segment }: ReturnType<typeof makeData>): Buffer {
  const bytes = readFileSync(segment);
  bytes[6000]! ^= 0x10;
  writeFileSync(segment, bytes);
  expect(() => LocalLog.open(options)).toThrow(
    expect.objectContaining({ code: "log-damaged", remedy: expect.stringContaining("doctor --repair") }),
  );
  return bytes;
}

describe("doctor --repair", () => {
  test("doctor --repair cuts a damaged log, keeps it aside, and the appliance's log opens again", async () => {
    const made = makeData();
    const before = damage(made);
    const { exitCode, out } = await doctor("--repair", "--yes", "--json");
    const report = JSON.parse(out) as { data: string; streams: RepairReport[] };
    expect([exitCode, report.data, report.streams.length]).toEqual([0, data, 1]);
    const [stream] = report.streams;
    expect(stream).toMatchObject({ result: "cut", checkpoint_sequence: 0, cut_at: { path: made.segment } });
    expect(stream!.cut_at!.byte).toBeLessThanOrEqual(6000);
    const [kept] = stream!.kept_aside;
    expect(kept!.path).toBe(`${made.segment}.broken`);
    const aside = readFileSync(kept!.path);
    expect(aside.length).toBe(kept!.bytes);
    expect(Buffer.compare(aside, before.subarray(0, aside.length))).toBe(0);
    const log = LocalLog.open(made.options);
    expect(log.appendedSequence).toBe(stream!.last_sequence);
    expect(log.appendedSequence).toBeGreaterThan(0);
    expect(log.appendedSequence).toBeLessThan(RECORDS);
    log.close();
  });

  test("doctor --repair says in words what was cut and that the appliance can be started", async () => {
    const made = makeData();
    damage(made);
    const { out } = await doctor("--repair", "--yes");
    expect(out).toMatch(/^log 0: cut at byte \d+ of .*; it ends with record \d+\n {2}kept aside: .*\.broken/);
    expect(out).toContain("The appliance can be started again");
  });

  test("doctor --repair leaves a whole log as it is, and begins one anew where all is gone", async () => {
    const { segment, options } = makeData();
    const before = readFileSync(segment);
    const whole = await doctor("--repair", "--yes");
    expect(whole.out).toContain(`log 0: whole, it ends with record ${RECORDS}`);
    expect(whole.out).toContain("nothing was changed");
    expect(Buffer.compare(readFileSync(segment), before)).toBe(0);
    rmSync(segment);
    const anew = await doctor("--repair", "--yes");
    expect(anew.out).toContain("log 0: begun anew behind record 0");
    LocalLog.open(options).close();
  });

  test("doctor --repair gives a file that was cut short its size again", async () => {
    const { segment, options } = makeData();
    truncateSync(segment, SEGMENT_BYTES - 4096);
    const { out } = await doctor("--repair", "--yes", "--json");
    expect(JSON.parse(out).streams[0]).toMatchObject({ result: "mended", last_sequence: RECORDS });
    LocalLog.open(options).close();
  });

  test("doctor --repair changes nothing without --yes where nobody can be asked", async () => {
    const made = makeData();
    const before = damage(made);
    // The test runner's input is no terminal.
    const context = { environment, options: { data }, version: "0" } as unknown as CommandContext;
    await expect(repair(context, async () => undefined)).rejects.toThrow("there is no terminal");
    await expect(repair(context, async () => "n")).rejects.toThrow("the answer was no");
    expect(Buffer.compare(readFileSync(made.segment), before)).toBe(0);
  });

  test("doctor --repair goes on when the answer is yes", async () => {
    damage(makeData());
    let asked = "";
    let out = "";
    const context = {
      environment,
      options: { data },
      version: "0",
      out: (text: string) => {
        out += text;
      },
    } as unknown as CommandContext;
    const exitCode = await repair(context, async (question) => {
      asked = question;
      return "yes";
    });
    expect(exitCode).toBe(0);
    expect(asked).toContain(data);
    expect(out).toContain("log 0: cut");
  });

  test("doctor --repair refuses while an appliance runs on the directory", async () => {
    damage(makeData());
    const running = new DataDirectory({
      disk: new NativeDisk(1),
      path: data,
      pid: process.pid,
      version: "0",
      nowMs: 0,
    });
    const { exitCode, err } = await doctor("--repair", "--yes");
    running.close();
    expect([exitCode, err.includes("data-directory-locked")]).toEqual([75, true]);
  });

  test("doctor --repair makes no directory where a path is mistyped", async () => {
    const { exitCode, err } = await doctor("--repair", "--yes");
    expect([exitCode, existsSync(data)]).toEqual([73, false]);
    expect(err).toContain("there is no data of an appliance in it");
  });

  // Only root may give a directory away.
  test.skipIf(process.geteuid?.() !== 0)(
    "doctor --repair refuses as another user than the owner, whose files it would make unreadable",
    async () => {
      damage(makeData());
      chownSync(data, 12_345, 12_345);
      const { exitCode, err } = await doctor("--repair", "--yes");
      expect([exitCode, err.includes("sudo -u '#12345'")]).toEqual([73, true]);
    },
  );

  test("doctor refuses --yes without --repair", async () => {
    expect((await doctor("--yes")).exitCode).toBe(64);
  });
});
