/**
 * The house rules a machine can check: the ladder of rooms, and what every file owes its readers.
 *
 * A room imports from the rooms below it. A message names both rooms and the road that is open.
 */
import { describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

const ROOT = join(import.meta.dir, "..");

/** From the top down; rooms of one line may import each other. */
const LADDER: readonly (readonly string[])[] = [
  ["main.ts", "worker.ts", "api-worker.ts", "load-worker.ts"],
  ["appliance"],
  ["cli", "api", "page"],
  ["operate"],
  ["observe"],
  ["engine"],
  ["cognition"],
  ["index", "storage", "embedding"],
  ["language"],
  ["runtime"],
  ["shm"],
  ["ffi"],
  ["config"],
  ["layout"],
  ["base"],
];
/** Programs that run while building; they may look at everything, nothing may look at them. */
const BUILD_ROOM = "build";

const rungOf = new Map(LADDER.flatMap((rooms, rung) => rooms.map((room) => [room, rung] as const)));

/** Files that git keeps, and those it would keep. */
const FILES = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path !== "" && existsSync(join(ROOT, path)));
const TYPESCRIPT = FILES.filter((path) => /^(src|test|bench)\/.*\.ts$/.test(path));
const SOURCES = TYPESCRIPT.filter((path) => path.startsWith("src/"));
const NATIVE = FILES.filter((path) => /^native\/.*\.(c|cpp|h)$/.test(path));
const PROSE = FILES.filter((path) => /\.(md|toml|sh|service|json)$|^\.ci\/run$/.test(path));

describe("the ladder of rooms", () => {
  test("the ladder knows every room of src/", () => {
    const rooms = new Set(SOURCES.map(roomOf));
    rooms.delete(BUILD_ROOM);
    expect([...rooms].filter((room) => !rungOf.has(room))).toEqual([]);
  });

  test("a room imports only from rooms below it", () => {
    const wrong = SOURCES.flatMap((path) =>
      importsOf(path).flatMap((imported) => {
        const reason = whyClosed(roomOf(path), roomOf(imported));
        return reason === undefined ? [] : [`${path} imports ${imported}: ${reason}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("whyClosed names both rooms and the road that is open", () => {
    expect(whyClosed("engine", "storage")).toBeUndefined();
    expect(whyClosed("engine", "engine")).toBeUndefined();
    expect(whyClosed("build", "cli")).toBeUndefined();
    expect(whyClosed("storage", "engine")).toBe(
      "storage lies below engine; the open road is engine -> storage: move what is shared down, or hand it in",
    );
    expect(whyClosed("cli", "build")).toContain("build is for programs that run while building");
  });

  test("ffi is the only room that opens libraries", () => {
    const others = SOURCES.filter((path) => roomOf(path) !== "ffi" && /\bdlopen\(/.test(read(path)));
    expect(others).toEqual([]);
  });
});

describe("every file", () => {
  test("a file opens with a comment that says what it is and why", () => {
    // A test file is named after what it tests, and its tests are sentences.
    const owing = [...TYPESCRIPT, ...NATIVE].filter((path) => !path.endsWith(".test.ts"));
    const silent = owing.filter((path) => !/^(#!.*\n)?\/\*/.test(read(path)));
    expect(silent).toEqual([]);
  });

  test("a file leaves nothing to be done later", () => {
    // Written in two parts, so that this file does not find itself.
    const mark = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X"].join("|")})\\b`);
    expect(findLines([...TYPESCRIPT, ...NATIVE, ...PROSE], mark)).toEqual([]);
  });

  test("a file says why where it uses any", () => {
    const uses = TYPESCRIPT.flatMap((path) => {
      const lines = read(path).split("\n");
      return lines.flatMap((line, index) => {
        const code = line.replace(/\/\/.*$|"[^"]*"|`[^`]*`|^\s*\*.*$|\/\*.*?\*\//g, "");
        if (!/(:|<|\bas|,)\s*any\b(?![\w.])/.test(code)) return [];
        const explained = line.includes("//") || /^\s*(\/\/|\*)/.test(lines[index - 1] ?? "");
        return explained ? [] : [`${path}:${index + 1}: ${line.trim()}`];
      });
    });
    expect(uses).toEqual([]);
  });

  test("a file names no machine it was written on", () => {
    const places = new RegExp(["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/[a-z]"].join("|"));
    const hosts = new RegExp(`"resol${"ved"}": "http|registry\\.npm`);
    const paths = [...TYPESCRIPT, ...NATIVE, ...PROSE];
    expect(findLines(paths, places)).toEqual([]);
    expect(findLines(paths, hosts)).toEqual([]);
  });

  test("a file of src/ takes chance from base/random.ts and time from base/clock.ts", () => {
    const chance = new RegExp("Math\\." + "random\\(");
    expect(findLines([...TYPESCRIPT], chance)).toEqual([]);
  });

  test("a file is named in kebab-case", () => {
    const wrong = [...TYPESCRIPT, ...NATIVE].filter(
      (path) =>
        !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|bench|d|contract|docs|case))*\.(ts|c|cpp|h)$/.test(
          path.split("/").at(-1)!,
        ),
    );
    expect(wrong).toEqual([]);
  });

  test("the top level holds what the design lists", () => {
    const folders = new Set(FILES.filter((path) => path.includes("/")).map((path) => path.split("/")[0]));
    const known = [".ci", "bench", "docs", "native", "src", "systemd", "test"];
    expect([...folders].filter((folder) => !known.includes(folder!))).toEqual([]);
  });
});

/** Why a room may not import from another; undefined where it may. */
function whyClosed(from: string, to: string): string | undefined {
  if (from === BUILD_ROOM || from === to) return undefined;
  if (to === BUILD_ROOM)
    return `${BUILD_ROOM} is for programs that run while building; move what is needed into a room`;
  const fromRung = rungOf.get(from) ?? -1;
  const toRung = rungOf.get(to) ?? -1;
  if (fromRung <= toRung) return undefined;
  return `${from} lies below ${to}; the open road is ${to} -> ${from}: move what is shared down, or hand it in`;
}

function roomOf(path: string): string {
  return path.split("/")[1] ?? path;
}

/** Files of src/ that a file imports, also for types and at run time. */
function importsOf(path: string): string[] {
  const specifiers = read(path).matchAll(/(?:\bfrom|\bimport\(?|\bnew URL\()\s*"(\.[^"]+)"/g);
  return [...specifiers]
    .map(([, specifier]) => relative(ROOT, normalize(join(ROOT, dirname(path), specifier!))))
    .filter((imported) => imported.startsWith("src/") && imported.endsWith(".ts"));
}

function findLines(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    read(path)
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

const texts = new Map<string, string>();

function read(path: string): string {
  const known = texts.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(join(ROOT, path), "utf8");
  texts.set(path, text);
  return text;
}
