/** Effective settings: which source wins, and what is said about what is wrong. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "../../src/base/errors.ts";
import {
  configPath,
  type LoadOptions,
  loadSettings,
  SYSTEM_CONFIG_PATH,
  variableName,
} from "../../src/config/load.ts";
import { SETTINGS } from "../../src/config/schema.ts";
import { configTemplate } from "../../src/config/template.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "engram-config-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

function file(text: string): string {
  const path = join(directory, "config.toml");
  writeFileSync(path, text);
  return path;
}

function refusal(options: LoadOptions): OperatorError {
  try {
    loadSettings(options);
  } catch (error) {
    expect(error).toBeInstanceOf(OperatorError);
    return error as OperatorError;
  }
  throw new Error("the settings were taken");
}

describe("loadSettings", () => {
  test("loadSettings lets the file win over defaults, the environment over the file, a flag over all", () => {
    const path = file("[server]\nport = 1001\nhost = '127.0.0.2'\nidle_timeout_s = 9\n");
    const environment = { ENGRAM_SERVER__PORT: "1002", ENGRAM_SERVER__HOST: "127.0.0.3" };
    const flags = [{ path: "server.port", text: "1003", flag: "--port" }];
    const { settings, sources } = loadSettings({ file: path, environment, flags });
    expect(settings.server).toMatchObject({ port: 1003, host: "127.0.0.3", idle_timeout_s: 9 });
    expect(sources.get("server.port")).toEqual({ kind: "flag", name: "--port" });
    expect(sources.get("server.host")).toEqual({ kind: "environment", name: "ENGRAM_SERVER__HOST" });
    expect(sources.get("server.idle_timeout_s")).toEqual({ kind: "file", name: path });
    expect(sources.get("wal.sync_mode")).toEqual({ kind: "default", name: "default" });
  });

  test("loadSettings takes every setting from its variable", () => {
    for (const { path, facts, default: standard } of SETTINGS) {
      const text = facts.kind === "choice" ? Object.keys(facts.choices).at(-1)! : `${standard}`;
      const options = { file: undefined, environment: { [variableName(path)]: text } };
      // openai needs an address and a model beside it
      if (path === "embedding.provider") options.environment[variableName(path)] = "none";
      expect(loadSettings(options).sources.get(path)?.kind, path).toBe("environment");
    }
  });

  test("loadSettings refuses an unknown key and names the nearest one", () => {
    expect(refusal({ file: file("[wal]\nsync_mod = 'batch'\n"), environment: {} }).message).toContain(
      "wal.sync_mod: no such setting; did you mean wal.sync_mode?",
    );
    expect(refusal({ file: file("[sever]\nport = 1\n"), environment: {} }).message).toContain(
      "[sever]: no such section; did you mean [server]?",
    );
    expect(refusal({ file: file("port = 1\n"), environment: {} }).message).toContain(
      "port: no such setting; did you mean server.port?",
    );
    expect(refusal({ file: undefined, environment: { ENGRAM_WAL__SYNC_MOD: "x" } }).message).toContain(
      "ENGRAM_WAL__SYNC_MOD: no such variable; did you mean ENGRAM_WAL__SYNC_MODE?",
    );
  });

  test("loadSettings leaves variables of others alone", () => {
    const environment = { ENGRAM_TEST_LONG: "1", ENGRAM_CONFIG: "x", HOME__DIR: "y", PATH: "z" };
    expect(() => loadSettings({ file: undefined, environment })).not.toThrow();
  });

  test("loadSettings reports every problem at once, with what was expected, received and where from", () => {
    const path = file("[server]\nport = 70000\n[wal]\nsync_mode = 'always'\n[data]\ndir = 3\n");
    const { message, code } = refusal({ file: path, environment: { ENGRAM_INDEX__M: "many" } });
    expect(code).toBe("config-invalid");
    expect(message).toContain(
      `server.port: expected a whole number from 0 to 65535 (TCP port), received 70000 (from ${path})`,
    );
    expect(message).toContain(
      `wal.sync_mode: expected "immediate" or "batch", received "always" (from ${path})`,
    );
    expect(message).toContain("data.dir: expected a path");
    expect(message).toContain('received "many" (from ENGRAM_INDEX__M)');
  });

  test("loadSettings says line and column where the file is not TOML", () => {
    const { code, message } = refusal({ file: file("[server]\nport = = 3\n"), environment: {} });
    expect(code).toBe("config-syntax");
    expect(message).toContain("line 2, column 8");
  });

  test("loadSettings says what to do when the file is missing", () => {
    const { code, remedy } = refusal({ file: join(directory, "none.toml"), environment: {} });
    expect(code).toBe("config-file-unreadable");
    expect(remedy).toContain("config init");
  });

  test("loadSettings refuses a value where a section belongs", () => {
    expect(refusal({ file: file("server = 3\n"), environment: {} }).message).toContain(
      "server: expected a section",
    );
    const options = { file: file("server = 3\n"), environment: { ENGRAM_SERVER__PORT: "1" } };
    expect(refusal(options).message).toContain("server: expected a section");
  });

  test("loadSettings refuses settings that contradict each other", () => {
    expect(refusal({ file: file("[embedding]\nprovider = 'openai'\n"), environment: {} }).message).toContain(
      "embedding.openai.url: needed",
    );
    expect(
      refusal({ file: file("[wal]\nbuffer_size_mb = 64\nsegment_size_mb = 8\n"), environment: {} }).message,
    ).toContain("wal.buffer_size_mb: at most wal.segment_size_mb (8), received 64");
  });
});

describe("configPath", () => {
  test("configPath takes the flag, then the variable, then the system's file where it exists", () => {
    expect(configPath("a", { ENGRAM_CONFIG: "b" }, () => true)).toBe("a");
    expect(configPath(undefined, { ENGRAM_CONFIG: "b" }, () => true)).toBe("b");
    expect(configPath(undefined, { ENGRAM_CONFIG: "" }, () => true)).toBeUndefined();
    expect(configPath(undefined, {}, () => true)).toBe(SYSTEM_CONFIG_PATH);
    expect(configPath(undefined, {}, () => false)).toBeUndefined();
  });
});

describe("configTemplate", () => {
  test("configTemplate is a valid file that changes nothing", () => {
    const { sources } = loadSettings({ file: file(configTemplate()), environment: {} });
    for (const [path, { kind }] of sources) expect(kind, path).toBe("default");
  });

  test("configTemplate with every comment taken away sets every setting to its default", () => {
    const { settings, sources } = loadSettings({
      file: file(configTemplate().replaceAll(/^#(\w+ = )/gm, "$1")),
      environment: {},
    });
    for (const [path, { kind }] of sources) expect(kind, path).toBe("file");
    expect(settings).toEqual(loadSettings({ file: undefined, environment: {} }).settings);
  });

  test("configTemplate writes the values it is given", () => {
    const text = configTemplate(new Map([["data.dir", "/srv/x"]]));
    expect(loadSettings({ file: file(text), environment: {} }).settings.data.dir).toBe("/srv/x");
  });
});
