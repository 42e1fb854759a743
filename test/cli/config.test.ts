/** The command `config`, in a directory of its own. */
import { beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./run-for-test.ts";

let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), "engram-cli-")), "config.toml");
});

describe("config", () => {
  test("config init, set, get, show and validate work on one file", async () => {
    expect((await run(["config", "init", "--config", file])).exitCode).toBe(0);
    const set = await run(["config", "set", "wal.sync_mode", "batch", "--config", file]);
    expect(set).toMatchObject({
      exitCode: 0,
      out: `wal.sync_mode = "batch" in ${file}, in force after a restart or a reload (SIGHUP)\n`,
    });
    expect((await run(["config", "get", "wal.sync_mode", "--config", file])).out).toBe("batch\n");
    const shown = JSON.parse((await run(["config", "show", "--config", file, "--json"])).out);
    expect(shown.settings.find((row: { name: string }) => row.name === "wal.sync_mode")).toEqual({
      name: "wal.sync_mode",
      value: "batch",
      source: file,
      reader: "src/appliance/live-settings.ts",
    });
    expect(await run(["config", "validate", "--config", file])).toMatchObject({ exitCode: 0 });
  });

  test("config init does not replace a file unless told to", async () => {
    writeFileSync(file, "mine");
    expect((await run(["config", "init", "--config", file])).exitCode).toBe(73);
    expect(readFileSync(file, "utf8")).toBe("mine");
    expect((await run(["config", "init", "--config", file, "--force"])).exitCode).toBe(0);
  });

  test("config init - prints the file", async () => {
    expect((await run(["config", "init", "--config", "-"])).out).toContain("#port = 7432");
  });

  test("config set refuses what the setting does not take and leaves the file alone", async () => {
    writeFileSync(file, "# mine\n[server]\nport = 1\n");
    const { exitCode, err } = await run(["config", "set", "server.port", "many", "--config", file]);
    expect(exitCode).toBe(78);
    expect(err).toContain("expected a whole number from 0 to 65535 (TCP port)");
    expect(readFileSync(file, "utf8")).toBe("# mine\n[server]\nport = 1\n");
  });

  test("config set and get name the nearest setting", async () => {
    for (const words of [
      ["set", "server.prot", "1"],
      ["get", "server.prot"],
    ]) {
      const { exitCode, err } = await run(["config", ...words, "--config", file]);
      expect(exitCode).toBe(64);
      expect(err).toContain("did you mean server.port?");
    }
  });

  test("config set says when the environment overrules the file", async () => {
    const environment = { ENGRAM_SERVER__PORT: "5" };
    const { out } = await run(["config", "set", "server.port", "6", "--config", file], { environment });
    expect(out).toContain("overruled by ENGRAM_SERVER__PORT");
  });

  test("config validate answers 78 and every problem", async () => {
    writeFileSync(file, "[server]\nport = 'x'\nhots = 1\n");
    const { exitCode, err } = await run(["config", "validate", "--config", file]);
    expect(exitCode).toBe(78);
    expect(err).toContain("server.port: expected");
    expect(err).toContain("did you mean server.host?");
  });

  test("config show prints one section, and refuses one that does not exist", async () => {
    const { out } = await run(["config", "show", "wal"]);
    expect(out.split("\n").filter((line) => line.startsWith("wal."))).toHaveLength(4);
    expect((await run(["config", "show", "wall"])).exitCode).toBe(64);
  });
});
