/** The key commands: what they print, and what an appliance makes of their keys. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseKey, readKeys, verifyKey } from "../../src/storage/key-store.ts";
import { run } from "./run-for-test.ts";

// Nothing here waits for time; a busy machine is only slow.
setDefaultTimeout(60_000);

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "engram-key-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const key = (...words: string[]) => run(["key", ...words, "--data", join(dir, "data")]);

test("key create prints the key alone on stdout, and makes the data directory for nobody else", async () => {
  const { exitCode, out, err } = await key(
    "create",
    "agent-7",
    "--spaces",
    "agent-7, notes",
    "--rights",
    "read",
  );
  expect([exitCode, err.includes("only time")]).toEqual([0, true]);
  const [record] = readKeys(join(dir, "data")).keys;
  expect(record).toMatchObject({ name: "agent-7", spaces: ["agent-7", "notes"], rights: ["read"] });
  expect(await verifyKey(parseKey(out.trim())!, record)).toBe(true);
  expect(statSync(join(dir, "data")).mode & 0o777).toBe(0o700);
});

test("key list shows keys without secrets, key revoke ends one", async () => {
  expect((await key("list")).out).toContain("There are no keys");
  const made = JSON.parse((await key("create", "a", "--expires", "90d", "--json")).out);
  expect(Date.parse(made.expires_at) - Date.parse(made.created_at)).toBe(90 * 86_400_000);
  await key("create", "b");
  expect((await key("revoke", "a")).exitCode).toBe(0);
  const { keys } = JSON.parse((await key("list", "--json")).out);
  expect(keys.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual([
    ["a", "revoked"],
    ["b", "live"],
  ]);
  const text = (await key("list")).out;
  expect(text).toContain(made.id);
  expect(text).not.toContain(made.key.slice(17));
  expect(text).not.toContain("argon2");
});

test("key refuses what it can not mean, and says what to write", async () => {
  for (const words of [
    ["create", "x", "--rights", "root"],
    ["create", "x", "--rights", ","],
    ["create", "x", "--spaces", "../etc"],
    ["create", "x", "--expires", "soon"],
    ["create", "x", "--expires", "2020-01-01"],
    ["create", ""],
    ["create", "x".repeat(129)],
  ]) {
    const { exitCode, err } = await key(...words);
    expect([words, exitCode, err.includes("What helps")]).toEqual([words, 64, true]);
  }
  expect((await key("revoke", "nobody")).exitCode).toBe(69);
});
