/** What a tuning leaves on the disk, and taking it back while the appliance does not run. */
import { expect, test } from "bun:test";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashOf, TuneFiles, type TuneRecord } from "../../src/cli/tune/tune-files.ts";
import { ScratchDirectory } from "../support/appliance-process.ts";
import { run } from "./run-for-test.ts";

const BEFORE = "# mine\n[index]\nef_search = 4096\nef_construction = 1000\n";
const TUNED = "# mine\n[index]\nef_search = 64\nef_construction = 128\n";

function tuned(directory: string, hadFile: boolean): { files: TuneFiles; record: TuneRecord } {
  const path = join(directory, "config.toml");
  if (hadFile) writeFileSync(path, BEFORE);
  const files = new TuneFiles(path);
  const record: TuneRecord = {
    id: "1",
    user: "somebody",
    url: "http://127.0.0.1:9",
    changes: [
      { path: "index.ef_search", from: 4096, to: 64, isLive: true },
      { path: "index.ef_construction", from: 1000, to: 128, isLive: false },
    ],
    hadFile,
    written: [hashOf(TUNED)],
    spacePrefix: "tune-1",
  };
  files.begin(record);
  writeFileSync(path, TUNED);
  return { files, record };
}

const rollBack = (files: TuneFiles) =>
  run(["tune", "--rollback", "--config", files.settingsFile, "--url", "http://127.0.0.1:9"]);

test.each([true, false])(
  "tune --rollback puts the settings file back byte by byte, also while nothing runs (there was one: %p)",
  async (hadFile) => {
    using scratch = new ScratchDirectory("tune-files");
    const { files } = tuned(scratch.path, hadFile);
    const { exitCode, out } = await rollBack(files);
    expect(exitCode).toBe(0);
    expect(out).toContain("Taken back: index.ef_search = 4096, index.ef_construction = 1000");
    expect(out).toContain("In force after a restart: index.ef_construction");
    expect(out).toContain("it has the old values after a restart");
    expect(existsSync(files.settingsFile)).toBe(hadFile);
    if (hadFile) expect(readFileSync(files.settingsFile, "utf8")).toBe(BEFORE);
    expect(files.interrupted()).toBeUndefined();
    expect(files.entries()).toMatchObject([
      { action: "taken-back", reason: "it was killed before it ended" },
    ]);
  },
);

test("tune --rollback leaves to somebody what that person set since then, comments and all", async () => {
  using scratch = new ScratchDirectory("tune-files");
  const { files } = tuned(scratch.path, true);
  writeFileSync(files.settingsFile, `${TUNED.replace("= 64", "= 100")}M = 24 # and this\n`);
  const { exitCode, out } = await rollBack(files);
  expect(exitCode).toBe(0);
  expect(out).toContain("Note: index.ef_search was set to 100 since then, and stays so");
  const text = readFileSync(files.settingsFile, "utf8");
  expect(text).toContain("ef_search = 100");
  expect(text).toContain("ef_construction = 1000");
  expect(text).toContain("M = 24 # and this");
});

test("TuneFiles passes over a line of the audit log that a crash cut short, and finds the last that was kept", () => {
  using scratch = new ScratchDirectory("tune-files");
  const { files, record } = tuned(scratch.path, true);
  const entry = { at: "2026-01-01T00:00:00Z", reason: "", by: "somebody", before: null, after: null };
  files.end({ ...entry, action: "kept", record }, { keepsBackup: true });
  files.end({ ...entry, action: "written", record: { ...record, id: "2" } }, { keepsBackup: false });
  files.end({ ...entry, action: "taken-back", record: { ...record, id: "2" } }, { keepsBackup: false });
  appendFileSync(files.auditFile, '{"at":"2026-01-0');
  expect(files.entries().length).toBe(3);
  expect(files.lastKept()).toMatchObject({ action: "kept", record: { id: "1" } });
});
