/**
 * The file of API keys, `<data>/keys.json`.
 *
 * A key reads `eng_<id>_<secret>`: 12 characters of id, public, and 43 of secret (256 random bits in base64url).
 * The file keeps the id and an argon2id hash of the secret, never the secret. It looks like
 *
 *   {"format":1,"crc32":"…","keys":[{"id":…,"name":…,"hash":"$argon2id$…","rights":[…],"spaces":[…],…}]}
 *
 * where `crc32` is taken over the JSON text of `keys`: a damaged file is refused, since guessing which keys were
 * meant could let someone in. A change writes `keys.json.new` (created exclusively, mode 0600, so it is the lock
 * against a second command too), syncs it, renames it over the file and syncs the directory: after a crash the file
 * is the old one or the new one. Revoked keys stay in the file, so that it goes on saying "keys are needed" and a list
 * shows what was revoked when. A command run by root gives the file to the owner of the data directory, because the
 * appliance, which runs as its own user, has to read it.
 */
import {
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { assert } from "../base/assert.ts";
import { OperatorError } from "../base/errors.ts";

export const RIGHTS = ["read", "write", "admin"] as const;
/** read: recall and read; write: remember and forget; admin: spaces and indexes */
export type Right = (typeof RIGHTS)[number];

/** Opens every memory space. */
export const ALL_SPACES = "*";

export type KeyRecord = {
  readonly id: string;
  /** what the operator calls it */
  readonly name: string;
  /** argon2id over the whole key, in the PHC format */
  readonly hash: string;
  readonly rights: readonly Right[];
  /** names of memory spaces, or ALL_SPACES */
  readonly spaces: readonly string[];
  readonly createdAtMs: number;
  readonly expiresAtMs?: number | undefined;
  readonly revokedAtMs?: number | undefined;
};

/** What the file said at one moment. `stamp` changes whenever the file does. */
export type KeySet = { readonly keys: readonly KeyRecord[]; readonly stamp: string };

export type NewKey = {
  readonly name: string;
  readonly rights: readonly Right[];
  readonly spaces: readonly string[];
  readonly expiresAtMs?: number | undefined;
};

/** A key as its holder gets it, once. */
export type CreatedKey = { readonly key: string; readonly record: KeyRecord };

/** A key taken apart. */
export type ParsedKey = { readonly id: string; readonly text: string };

const KEY_TEXT = /^eng_([0-9A-Za-z]{12})_[0-9A-Za-z_-]{43}$/;
/** Cost of one hash: 19 MiB and 2 passes, the least that OWASP names for argon2id; the secret is random anyway. */
const ARGON2 = { algorithm: "argon2id", memoryCost: 19 * 1024, timeCost: 2 } as const;
const LOCK_STALE_MS = 30_000;

const keysFile = z.strictObject({
  format: z.literal(1),
  crc32: z.string(),
  keys: z.array(
    z.strictObject({
      id: z.string().regex(/^[0-9A-Za-z]{12}$/),
      name: z.string(),
      hash: z.string().startsWith("$argon2id$"),
      rights: z.array(z.enum(RIGHTS)),
      spaces: z.array(z.string()),
      createdAtMs: z.number(),
      expiresAtMs: z.number().optional(),
      revokedAtMs: z.number().optional(),
    }),
  ),
});

export function keysPath(dataDir: string): string {
  return join(dataDir, "keys.json");
}

/** Identifies the file's present version without reading it; "none" where there is no file. */
export function keysStamp(dataDir: string): string {
  const found = statSync(keysPath(dataDir), { throwIfNoEntry: false, bigint: true });
  return found === undefined ? "none" : `${found.ino}-${found.size}-${found.mtimeNs}`;
}

/** @throws {OperatorError} `keys-damaged` when the file is there but can not be trusted */
export function readKeys(dataDir: string): KeySet {
  const stamp = keysStamp(dataDir);
  if (stamp === "none") return { keys: [], stamp };
  const path = keysPath(dataDir);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw damaged(path, "it can not be read", cause);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged(path, "it is not JSON", cause);
  }
  const parsed = keysFile.safeParse(json);
  if (!parsed.success) throw damaged(path, "it does not have the form of a key file", parsed.error);
  // The checksum covers the text of the keys as this program writes it, so the parsed file is printed again.
  const keys = (json as { keys: unknown }).keys;
  if (checksum(JSON.stringify(keys)) !== parsed.data.crc32)
    throw damaged(path, "its checksum is wrong", undefined);
  return { keys: parsed.data.keys, stamp };
}

/**
 * Makes a key. The returned text is the only copy of its secret.
 * @throws {OperatorError} `keys-damaged`, `keys-unwritable`
 */
export async function createKey(dataDir: string, wanted: NewKey, nowMs: number): Promise<CreatedKey> {
  assert(wanted.rights.length > 0, "a key grants a right");
  assert(wanted.spaces.length > 0, "a key opens a space");
  const id = randomId();
  const key = `eng_${id}_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`;
  assert(parseKey(key) !== undefined, "a key that is made can be read");
  const record: KeyRecord = {
    id,
    name: wanted.name,
    hash: await Bun.password.hash(key, ARGON2),
    rights: RIGHTS.filter((right) => wanted.rights.includes(right)),
    spaces: wanted.spaces.includes(ALL_SPACES) ? [ALL_SPACES] : [...new Set(wanted.spaces)],
    createdAtMs: nowMs,
    ...(wanted.expiresAtMs === undefined ? {} : { expiresAtMs: wanted.expiresAtMs }),
  };
  changeKeys(dataDir, nowMs, (keys) => [...keys, record]);
  return { key, record };
}

/**
 * Revokes the key with this id, or the only live one of this name. Running appliances notice within a second.
 * @throws {OperatorError} `key-unknown`, `keys-damaged`, `keys-unwritable`
 */
export function revokeKey(dataDir: string, idOrName: string, nowMs: number): KeyRecord {
  let revoked: KeyRecord | undefined;
  if (readKeys(dataDir).keys.length === 0) throw unknownKey(idOrName, "there are no keys");
  changeKeys(dataDir, nowMs, (keys) => {
    const live = keys.filter((key) => key.revokedAtMs === undefined);
    const byName = live.filter((key) => key.name === idOrName);
    const found = live.find((key) => key.id === idOrName) ?? (byName.length === 1 ? byName[0] : undefined);
    if (found === undefined) {
      const why =
        byName.length > 1 ? `${byName.length} keys have this name` : "no live key has this id or name";
      throw unknownKey(idOrName, why);
    }
    revoked = { ...found, revokedAtMs: nowMs };
    return keys.map((key) => (key === found ? (revoked as KeyRecord) : key));
  });
  assert(revoked !== undefined, "a key was revoked or an error thrown");
  return revoked;
}

/** Takes a key text apart; undefined when it does not have the form of a key. */
export function parseKey(text: string): ParsedKey | undefined {
  const found = KEY_TEXT.exec(text);
  return found === null ? undefined : { id: found[1]!, text };
}

/** Whether the key may be used at `nowMs`, its secret aside. */
export function isLive(record: KeyRecord, nowMs: number): boolean {
  return record.revokedAtMs === undefined && (record.expiresAtMs === undefined || nowMs < record.expiresAtMs);
}

let decoyHash: Promise<string> | undefined;

/**
 * Whether `key` is the key of `record`. Costs one argon2id hash (about 20 ms and 19 MiB) whether or not there is a
 * record, so that the time does not tell which ids exist.
 */
export async function verifyKey(key: ParsedKey, record: KeyRecord | undefined): Promise<boolean> {
  decoyHash ??= Bun.password.hash("no key has this text", ARGON2);
  const matches = await Bun.password.verify(key.text, record?.hash ?? (await decoyHash));
  return matches && record !== undefined;
}

function changeKeys(
  dataDir: string,
  nowMs: number,
  change: (keys: readonly KeyRecord[]) => KeyRecord[],
): void {
  const path = keysPath(dataDir);
  const newPath = `${path}.new`;
  const file = openExclusively(newPath, nowMs);
  try {
    const keys = change(readKeys(dataDir).keys);
    const keysJson = JSON.stringify(keys);
    writeFully(
      file,
      Buffer.from(`{"format":1,"crc32":"${checksum(keysJson)}","keys":${keysJson}}\n`),
      newPath,
    );
    const owner = statSync(dataDir);
    if (process.getuid?.() === 0) chownSync(newPath, owner.uid, owner.gid);
    fsyncSync(file);
    renameSync(newPath, path);
    const directory = openSync(dirname(path), "r");
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  } catch (cause) {
    rmSync(newPath, { force: true });
    if (cause instanceof OperatorError) throw cause;
    throw unwritable(newPath, cause);
  } finally {
    closeSync(file);
  }
}

function openExclusively(path: string, nowMs: number): number {
  for (;;) {
    try {
      return openSync(path, "wx", 0o600);
    } catch (cause) {
      if ((cause as { code?: string }).code !== "EEXIST") throw unwritable(path, cause);
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined) continue;
      if (nowMs - found.mtimeMs < LOCK_STALE_MS) {
        throw new OperatorError({
          code: "keys-unwritable",
          message: `Cannot change the API keys: ${path} exists, so another command is changing them`,
          remedy: "Try again when it has ended; a leftover of a crash is taken over after 30 seconds",
          cause,
        });
      }
      rmSync(path, { force: true });
    }
  }
}

/** A full disk may take fewer bytes than it was given; the next call then names the reason. */
function writeFully(file: number, bytes: Buffer, path: string): void {
  let written = 0;
  while (written < bytes.byteLength) {
    const count = writeSync(file, bytes, written);
    assert(count > 0, `a write to ${path} takes at least one byte or fails`);
    written += count;
  }
}

function checksum(text: string): string {
  return Bun.hash.crc32(text).toString(16).padStart(8, "0");
}

const ID_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** 12 characters; bytes of 248 and above are passed over, so that every character is equally likely. */
function randomId(): string {
  let id = "";
  while (id.length < 12) {
    const byte = crypto.getRandomValues(new Uint8Array(1))[0]!;
    if (byte < 248) id += ID_ALPHABET[byte % 62];
  }
  return id;
}

function unknownKey(idOrName: string, why: string): OperatorError {
  return new OperatorError({
    code: "key-unknown",
    message: `Cannot revoke "${idOrName}": ${why}`,
    remedy: "List the keys with their ids: engram-appliance key list",
  });
}

function damaged(path: string, why: string, cause: unknown): OperatorError {
  return new OperatorError({
    code: "keys-damaged",
    message: `Cannot use the API keys in ${path}: ${why}`,
    remedy: "Restore the file from a backup, or move it away and make new keys: engram-appliance key create",
    cause,
  });
}

function unwritable(path: string, cause: unknown): OperatorError {
  return new OperatorError({
    code: "keys-unwritable",
    message: `Cannot write ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
    remedy: "Run the command as root or as the user of the appliance, and look at the disk's free space",
    cause,
  });
}
