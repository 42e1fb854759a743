/** The key file: what it keeps, what it refuses, and that a change is all or nothing. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "../../src/base/errors.ts";
import {
  createKey,
  isLive,
  keysPath,
  keysStamp,
  parseKey,
  readKeys,
  revokeKey,
  verifyKey,
} from "../../src/storage/key-store.ts";

// Nothing here waits for time; a busy machine is only slow.
setDefaultTimeout(60_000);

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "engram-keys-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const WANTED = { name: "agent", rights: ["read", "write"], spaces: ["a", "b"] } as const;

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof OperatorError) return error.code;
    throw error;
  }
  return "nothing thrown";
}

test("createKey gives a key that verifies, and keeps no secret in the file", async () => {
  const { key, record } = await createKey(dir, WANTED, 1000);
  const parsed = parseKey(key);
  expect(parsed?.id).toBe(record.id);
  expect(await verifyKey(parsed!, record)).toBe(true);
  const changed = key.slice(0, -1) + (key.endsWith("A") ? "B" : "A");
  expect(await verifyKey(parseKey(changed)!, record)).toBe(false);
  expect(await verifyKey(parsed!, undefined)).toBe(false);
  const text = readFileSync(keysPath(dir), "utf8");
  expect(text).not.toContain(key.slice(17));
  expect(text).toContain("$argon2id$");
  expect(statSync(keysPath(dir)).mode & 0o777).toBe(0o600);
  expect(readKeys(dir).keys).toEqual([record]);
});

test("revokeKey finds a key by id, or by a name that one live key has", async () => {
  const first = (await createKey(dir, WANTED, 1000)).record;
  expect(revokeKey(dir, "agent", 2000).id).toBe(first.id);
  const second = (await createKey(dir, WANTED, 3000)).record;
  const third = (await createKey(dir, WANTED, 3000)).record;
  expect(codeOf(() => revokeKey(dir, "agent", 4000))).toBe("key-unknown");
  revokeKey(dir, second.id, 4000);
  expect(codeOf(() => revokeKey(dir, second.id, 5000))).toBe("key-unknown");
  const states = readKeys(dir).keys.map((key) => [key.id, isLive(key, 9000)]);
  expect(states).toEqual([
    [first.id, false],
    [second.id, false],
    [third.id, true],
  ]);
});

test("revokeKey without any key says so and makes no file", () => {
  expect(codeOf(() => revokeKey(dir, "x", 1))).toBe("key-unknown");
  expect(existsSync(keysPath(dir))).toBe(false);
});

test("isLive ends at the expiry", async () => {
  const { record } = await createKey(dir, { ...WANTED, expiresAtMs: 5000 }, 1000);
  expect([isLive(record, 4999), isLive(record, 5000)]).toEqual([true, false]);
});

test("readKeys refuses the file whatever byte of it is changed or cut", async () => {
  await createKey(dir, WANTED, 1000);
  const whole = readFileSync(keysPath(dir));
  const text = whole.toString();
  for (let at = 0; at < whole.byteLength; at++) {
    const flipped = Buffer.from(whole);
    flipped[at] = flipped[at]! ^ 1;
    writeFileSync(keysPath(dir), flipped);
    // The line end says nothing.
    if (at === whole.byteLength - 1) continue;
    expect([at, codeOf(() => readKeys(dir))]).toEqual([at, "keys-damaged"]);
    writeFileSync(keysPath(dir), text.slice(0, at));
    expect([at, codeOf(() => readKeys(dir))]).toEqual([at, "keys-damaged"]);
  }
});

test("a change refuses to run beside another, and takes over what a crash left behind", async () => {
  await createKey(dir, WANTED, 1000);
  const lock = `${keysPath(dir)}.new`;
  writeFileSync(lock, "");
  expect(codeOf(() => revokeKey(dir, "agent", 2000))).toBe("keys-unwritable");
  revokeKey(dir, "agent", Date.now() + 60_000);
  expect(existsSync(lock)).toBe(false);
});

test("keysStamp changes with every change", async () => {
  const stamps = [keysStamp(dir)];
  await createKey(dir, WANTED, 1000);
  stamps.push(keysStamp(dir));
  revokeKey(dir, "agent", 2000);
  stamps.push(keysStamp(dir));
  expect(new Set(stamps).size).toBe(3);
});

test("parseKey takes keys only", () => {
  for (const text of [
    "",
    "eng_",
    "eng_short_x",
    `eng_${"a".repeat(12)}_${"b".repeat(42)}`,
    "Bearer x",
    "eng_é",
  ]) {
    expect(parseKey(text)).toBeUndefined();
  }
});
