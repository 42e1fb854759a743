/** Help of every command, against golden files, and what a mistyped command line is answered. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { commandPaths } from "../../src/build/reference.ts";
import { COMMANDS } from "../../src/cli/command-table.ts";
import { expectGolden } from "../support/golden.ts";
import { run } from "./run-for-test.ts";

const PATHS = [[], ...COMMANDS.flatMap(commandPaths)];

describe("--help", () => {
  for (const path of PATHS) {
    const name = path.length === 0 ? "engram-appliance" : path.join("-");
    test(`--help of ${name} reads as it did`, async () => {
      const { exitCode, out, err } = await run([...path, "--help"]);
      expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
      expectGolden(join(import.meta.dir, "golden/help", `${name}.txt`), out);
    });
  }

  test("help COMMAND prints the same as COMMAND --help", async () => {
    for (const { name } of COMMANDS) {
      expect((await run(["help", name])).out).toBe((await run([name, "--help"])).out);
    }
  });

  test("--json is offered by every command that prints data", () => {
    const silent = new Set(["serve", "config init"]);
    for (const command of COMMANDS) {
      const leaves = command.commands ?? [command];
      for (const leaf of leaves) {
        const path = leaf === command ? command.name : `${command.name} ${leaf.name}`;
        const offers = (leaf.options ?? []).some(({ flags }) => flags === "--json");
        expect(offers, path).toBe(!silent.has(path));
      }
    }
  });
});

describe("runCommand", () => {
  test("runCommand answers a mistyped command with the nearest one and status 64", async () => {
    const { exitCode, err } = await run(["doctr"]);
    expect(exitCode).toBe(64);
    expect(err).toContain("unknown command 'doctr'");
    expect(err).toContain("Did you mean doctor?");
  });

  test("runCommand answers a mistyped option with the nearest one and status 64", async () => {
    const { exitCode, err } = await run(["serve", "--prot", "1"]);
    expect(exitCode).toBe(64);
    expect(err).toContain("Did you mean --port?");
  });

  test("runCommand answers 64 to a missing argument, a surplus one, and a group without its command", async () => {
    for (const words of [["config", "get"], ["version", "surplus"], ["space"], []]) {
      const { exitCode, out, err } = await run(words);
      expect({ words, exitCode, out }).toEqual({ words, exitCode: 64, out: "" });
      expect(err).not.toBe("");
    }
  });

  test("runCommand prints the version as text and as JSON", async () => {
    expect((await run(["version"])).out).toMatch(/^engram-appliance \d+\.\d+\.\d+\n$/);
    expect(JSON.parse((await run(["version", "--json"])).out)).toMatchObject({ platform: "linux" });
    expect((await run(["--version"])).exitCode).toBe(0);
  });
});
