/** Changing one value of a file whose comments and order stay. */
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { entropySeed, Random } from "../../src/base/random.ts";
import { loadSettings } from "../../src/config/load.ts";
import { SETTINGS, type SettingValue, settingValue } from "../../src/config/schema.ts";
import { configTemplate } from "../../src/config/template.ts";
import { parseToml, setInToml, writeTomlFile } from "../../src/config/toml-file.ts";

const HAND_WRITTEN = `# our machine
[server]   # the edge
# why this port: the firewall
port = 8000   # agreed with Ada
host = '127.0.0.1'

[wal]
# tail comment
`;

describe("setInToml", () => {
  test("setInToml changes one value and leaves every other byte", () => {
    expect(setInToml(HAND_WRITTEN, "server.port", 9000)).toBe(HAND_WRITTEN.replace("8000", "9000"));
  });

  test("setInToml adds a setting to the section it belongs to", () => {
    const text = setInToml(HAND_WRITTEN, "server.idle_timeout_s", 5);
    expect(parseToml(text, "text")).toMatchObject({ server: { port: 8000, idle_timeout_s: 5 } });
    for (const line of HAND_WRITTEN.split("\n")) expect(text).toContain(line);
  });

  test("setInToml makes the sections it needs, also in an empty file", () => {
    expect(parseToml(setInToml("", "embedding.openai.url", "http://h"), "text")).toEqual({
      embedding: { openai: { url: "http://h" } },
    });
  });

  test("setInToml turns the comment of config init into the setting", () => {
    const before = configTemplate();
    const after = setInToml(before, "wal.sync_mode", "batch");
    expect(after).toBe(before.replace('#sync_mode = "immediate"', 'sync_mode = "batch"'));
  });

  test("setInToml takes comments of another section for what they are", () => {
    const text = "[server]\n#port = 1\n\n[data]\n";
    expect(parseToml(setInToml(text, "data.dir", "x"), "text")).toEqual({ server: {}, data: { dir: "x" } });
    expect(setInToml("[wal]\n# sync_mode = was batch once\n", "wal.sync_mode", "batch")).toContain(
      "# sync_mode = was batch once",
    );
  });

  test("setInToml keeps what was set before, over random settings in random order", () => {
    const random = new Random(entropySeed());
    console.log(`setInToml seed ${random.seed}`);
    for (const start of [configTemplate(), HAND_WRITTEN, ""]) {
      let text = start;
      const expected = new Map<string, SettingValue>();
      for (let round = 0; round < 40; round++) {
        const setting = SETTINGS[random.below(SETTINGS.length)]!;
        const value = otherValue(setting.facts, setting.default, random);
        text = setInToml(text, setting.path, value);
        expected.set(setting.path, value);
      }
      const table = parseToml(text, "text");
      for (const [name, value] of expected) expect(read(table, name), name).toBe(value);
      for (const line of start.split("\n").filter((one) => /^# /.test(one))) expect(text).toContain(line);
    }
  });
});

describe("writeTomlFile", () => {
  test("writeTomlFile replaces the file, keeps its rights, and leaves nothing else behind", () => {
    const directory = mkdtempSync(join(tmpdir(), "engram-toml-"));
    const path = join(directory, "config.toml");
    writeTomlFile(path, "a = 1\n");
    chmodSync(path, 0o600);
    writeTomlFile(path, "a = 2\n");
    expect(readFileSync(path, "utf8")).toBe("a = 2\n");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(["config.toml"]);
  });

  test("writeTomlFile says which file it could not write", () => {
    expect(() => writeTomlFile("/nonexistent/config.toml", "")).toThrow("/nonexistent/config.toml: ENOENT");
  });
});

function otherValue(
  facts: (typeof SETTINGS)[number]["facts"],
  standard: SettingValue,
  random: { below(bound: number): number },
): SettingValue {
  switch (facts.kind) {
    case "whole":
      return facts.min + random.below(Math.min(1000, facts.max - facts.min + 1));
    case "number":
      return facts.min + random.below(100) / 100;
    case "choice": {
      const words = Object.keys(facts.choices);
      return words[random.below(words.length)]!;
    }
    case "toggle":
      return standard !== true;
    case "text":
      return `text "${random.below(100)}" \\ # ü`;
  }
}

function read(table: unknown, path: string): unknown {
  return path.split(".").reduce((at, name) => (at as Record<string, unknown> | undefined)?.[name], table);
}

// The loader and the patcher agree on one parser; this keeps the import honest.
test("loadSettings reads what setInToml wrote", () => {
  const path = join(mkdtempSync(join(tmpdir(), "engram-toml-")), "config.toml");
  writeFileSync(path, setInToml(configTemplate(), "server.port", 1234));
  expect(settingValue(loadSettings({ file: path, environment: {} }).settings, "server.port")).toBe(1234);
});
