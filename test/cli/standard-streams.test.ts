/** What a command prints arrives whole, and leaves the pipe as it was. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

// Nothing here waits for time; a busy machine is only slow.
setDefaultTimeout(60_000);

const ROOT = join(import.meta.dir, "../..");
const WRITER = `
  import { STANDARD_OUTPUT, writeWhole } from "./src/cli/standard-streams.ts";
  writeWhole(STANDARD_OUTPUT, "x".repeat(1_000_000));
  process.exit();
`;

async function shell(script: string): Promise<string> {
  const child = Bun.spawn(["sh", "-c", script], {
    cwd: ROOT,
    env: { ...process.env, BUN: process.execPath, WRITER, ENGRAM_CONFIG: "" },
    stdin: "ignore",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return `${out}${err}`.trim();
}

/** Sets the O_NONBLOCK of a pipe, as a program that shares it may. */
const NON_BLOCKING = `"$BUN" -e 'process.stdout.isTTY'`;

test("writeWhole writes more than a pipe holds, to a slow reader, before the process ends", async () => {
  expect(await shell(`"$BUN" -e "$WRITER" | (sleep 0.3; wc -c)`)).toBe("1000000");
});

test("writeWhole waits where another program made the pipe non-blocking", async () => {
  expect(await shell(`(${NON_BLOCKING}; "$BUN" -e "$WRITER") | (sleep 0.5; wc -c)`)).toBe("1000000");
});

test("writeWhole ends quietly where nobody reads any more", async () => {
  expect(await shell(`("$BUN" -e "$WRITER"; echo "status $?" >&2) | head -c 1`)).toBe("xstatus 0");
});

test("writeWhole does not wait for ever for an error to be read", async () => {
  const errors = WRITER.replaceAll("STANDARD_OUTPUT", "STANDARD_ERROR");
  const script = `
    { "$BUN" -e 'process.stderr.isTTY' 2>&1; "$BUN" -e "$ERRORS" 2>&1 >/dev/null; echo "status $?" >&3; } | sleep 8`;
  const startedAtMs = performance.now();
  const child = Bun.spawn(["sh", "-c", `exec 3>&1; ${script}`], {
    cwd: ROOT,
    env: { ...process.env, BUN: process.execPath, ERRORS: errors },
    stdin: "ignore",
  });
  for await (const chunk of child.stdout) {
    expect(new TextDecoder().decode(chunk)).toBe("status 0\n");
    break;
  }
  // It ended by itself, before the pipe was closed.
  expect(performance.now() - startedAtMs).toBeLessThan(7000);
  child.kill();
});

test("a full disk behind standard output is an error with a remedy, not a defect", async () => {
  const told = await shell(`"$BUN" src/main.ts version >/dev/full; echo "status $?"`);
  expect(told).toContain("status 74");
  expect(told).toContain("Standard output can not be written: ENOSPC");
});

test("a command leaves the pipe that it shares blocking", async () => {
  const flagsAfter = async (program: string): Promise<number> => {
    const flags = "sed -n 's/^flags:[[:space:]]*//p' /proc/self/fdinfo/1";
    return Number.parseInt((await shell(`(${program} 2>/dev/null; ${flags}) | tail -1`)) || "x", 8);
  };
  const O_NONBLOCK = 0o4000;
  expect((await flagsAfter(NON_BLOCKING)) & O_NONBLOCK).not.toBe(0);
  expect((await flagsAfter(`"$BUN" src/main.ts version`)) & O_NONBLOCK).toBe(0);
  expect((await flagsAfter(`"$BUN" src/main.ts top --url http://127.0.0.1:1`)) & O_NONBLOCK).toBe(0);
});
