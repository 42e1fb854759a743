/**
 * What a tuning leaves on the disk, beside the settings file:
 *
 *   NAME.tune.jsonl            the audit log: one JSON object a line, only ever added to
 *   NAME.tune-backup-ID        the settings file as it was before the tuning ID
 *   NAME.tune-journal          there while a tuning is under way: what it may have changed
 *
 *   no journal ──begin──▶ journal and backup synced ──(changes)──▶ end: audit line, journal removed
 *                                     └──killed──▶ found at the next run, which takes the changes back first
 *
 * The journal is written before the first change, so a disk or a directory that refuses it refuses the tuning.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { OperatorError } from "../../base/errors.ts";
import { writeTomlFile } from "../../config/toml-file.ts";

const value = z.union([z.string(), z.number(), z.boolean()]);
const change = z.object({ path: z.string(), from: value, to: value, isLive: z.boolean() });

/** What has to be taken back. */
const recordSchema = z.object({
  id: z.string(),
  user: z.string(),
  url: z.string(),
  changes: z.array(change),
  /** whether there was a settings file; its text is in the backup */
  hadFile: z.boolean(),
  /** SHA-256 of each text of the settings file that the tuning wrote or may have written */
  written: z.array(z.string()),
  /** its spaces begin with it */
  spacePrefix: z.string(),
});
export type TuneRecord = z.output<typeof recordSchema>;

const figures = z.record(z.string(), z.number()).nullable();
const entrySchema = z.object({
  at: z.string(),
  action: z.enum(["kept", "written", "taken-back"]),
  /** why it was kept or taken back */
  reason: z.string(),
  /** who called */
  by: z.string(),
  /** of the machine and the load */
  before: figures,
  after: figures,
  record: recordSchema,
});
export type AuditEntry = z.output<typeof entrySchema>;

export class TuneFiles {
  readonly settingsFile: string;

  constructor(settingsFile: string) {
    this.settingsFile = settingsFile;
  }

  get auditFile(): string {
    return `${this.settingsFile}.tune.jsonl`;
  }

  get #journalFile(): string {
    return `${this.settingsFile}.tune-journal`;
  }

  backupFile(id: string): string {
    return `${this.settingsFile}.tune-backup-${id}`;
  }

  /** The settings file as it is; empty where there is none. */
  text(): string {
    return existsSync(this.settingsFile) ? readFileSync(this.settingsFile, "utf8") : "";
  }

  /** Backup and journal, on the disk. @throws {OperatorError} `tune-record-unwritable`; then neither is there */
  begin(record: TuneRecord): void {
    const backup = this.backupFile(record.id);
    try {
      writeSynced(backup, this.text(), "w");
      writeSynced(`${this.#journalFile}.new`, `${JSON.stringify(record)}\n`, "w");
      renameSync(`${this.#journalFile}.new`, this.#journalFile);
      syncDirectory(dirname(this.#journalFile));
    } catch (cause) {
      for (const file of [backup, `${this.#journalFile}.new`]) removeFile(file);
      throw new OperatorError({
        code: "tune-record-unwritable",
        message: `Cannot write beside ${this.settingsFile}: ${(cause as NodeJS.ErrnoException).code ?? cause}; nothing was changed`,
        remedy:
          "Run it as the user that owns the settings, with room on the disk, or name the file with --config",
        cause,
      });
    }
  }

  /** The record of a tuning that did not end. */
  interrupted(): TuneRecord | undefined {
    if (!existsSync(this.#journalFile)) return undefined;
    return recordSchema.parse(JSON.parse(readFileSync(this.#journalFile, "utf8")));
  }

  /** Ends a tuning: what became of it is written down, then the journal goes. */
  end(entry: AuditEntry, { keepsBackup }: { readonly keepsBackup: boolean }): void {
    writeSynced(this.auditFile, `${JSON.stringify(entry)}\n`, "a");
    rmSync(this.#journalFile, { force: true });
    if (!keepsBackup) rmSync(this.backupFile(entry.record.id), { force: true });
  }

  /** The last tuning whose changes are still there. */
  lastKept(): AuditEntry | undefined {
    const entries = this.entries();
    const gone = new Set(
      entries.filter(({ action }) => action === "taken-back").map(({ record }) => record.id),
    );
    return entries.findLast(({ action, record }) => action !== "taken-back" && !gone.has(record.id));
  }

  /** The audit log; a line that a crash cut short is passed over. */
  entries(): AuditEntry[] {
    if (!existsSync(this.auditFile)) return [];
    return readFileSync(this.auditFile, "utf8")
      .split("\n")
      .flatMap((line) => {
        try {
          return [entrySchema.parse(JSON.parse(line))];
        } catch {
          return [];
        }
      });
  }

  /** Whether the settings file is one that the tuning wrote, and nobody has changed since. */
  isAsWritten(record: TuneRecord): boolean {
    return record.written.includes(hashOf(this.text()));
  }

  isAsBefore(record: TuneRecord): boolean {
    return existsSync(this.settingsFile) === record.hadFile && this.text() === this.#backup(record);
  }

  /** Puts the settings file back as it was. */
  restore(record: TuneRecord): void {
    if (!record.hadFile) rmSync(this.settingsFile, { force: true });
    else writeTomlFile(this.settingsFile, this.#backup(record));
  }

  #backup(record: TuneRecord): string {
    return readFileSync(this.backupFile(record.id), "utf8");
  }
}

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function writeSynced(path: string, text: string, flag: "w" | "a"): void {
  const file = openSync(path, flag, 0o640);
  try {
    for (let at = 0, bytes = Buffer.from(text); at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Removes what was written; what is no file was there before, and stays. */
function removeFile(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false) rmSync(path, { force: true });
}

function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
