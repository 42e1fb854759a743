/**
 * Builds `dist/engram-appliance`: one executable that holds Bun, the program, its workers and
 * `libengram.so`, and needs nothing but glibc.
 *
 * `main.ts`, `worker.ts`, `api-worker.ts` and `load-worker.ts` are entry points, because a worker is started by its own URL
 * (`new Worker(new URL("./worker.ts", import.meta.url))`). No bytecode: it does not support the
 * top-level await of the entry points, and starting takes some tens of milliseconds without.
 *
 * A stamp with the hash of everything that went in says whether the executable is fresh; checking costs
 * some tens of milliseconds, so `npm start` and `npm test` ask every time.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { ERROR_CODES } from "../base/error-codes.ts";
import { OperatorError } from "../base/errors.ts";
import { buildNative } from "./native.ts";
import { buildPages } from "./page.ts";

const ROOT = join(import.meta.dir, "../..");
const EXECUTABLE = join(ROOT, "dist/engram-appliance");
const STAMP = join(ROOT, ".cache/executable.stamp");
const ENTRY_POINTS = ["src/main.ts", "src/worker.ts", "src/api-worker.ts", "src/load-worker.ts"];

/** Brings the executable up to date; answers its path. @throws {OperatorError} `build-failed`, `compiler-missing` */
export async function buildExecutable(log: (line: string) => void = () => {}): Promise<string> {
  const library = await buildNative(log);
  await buildPages();
  const stamp = sourceHash(library);
  if (isFresh(stamp)) return EXECUTABLE;

  mkdirSync(join(ROOT, ".cache"), { recursive: true });
  const fresh = `${EXECUTABLE}.${process.pid}`;
  const entryPoints = ENTRY_POINTS.map((path) => join(ROOT, path)).filter((path) => existsSync(path));
  const result = await Bun.build({
    entrypoints: entryPoints,
    // A .env or bunfig.toml that happens to lie where the appliance is started must not change it.
    compile: { outfile: fresh, autoloadDotenv: false, autoloadBunfig: false },
    minify: { whitespace: true, syntax: true, identifiers: false },
    // Embedded, so that the stack of a defect names files and lines.
    sourcemap: "linked",
    define: { "process.env.NODE_ENV": '"production"' },
    throw: false,
  });
  if (!result.success) {
    throw new OperatorError({
      code: "build-failed",
      message: `Cannot build the executable:\n${result.logs.map((entry) => String(entry)).join("\n")}`,
      remedy: "Correct what the messages name; where a package is missing: npm ci",
    });
  }
  /* A rename, never a rewrite: an appliance that runs from the old file keeps it. */
  renameSync(fresh, EXECUTABLE);
  rmSync(`${fresh}.map`, { force: true });
  writeFileSync(STAMP, stamp);
  log(`built ${relative(ROOT, EXECUTABLE)}, ${(statSync(EXECUTABLE).size / 2 ** 20).toFixed(0)} MiB`);
  return EXECUTABLE;
}

function isFresh(stamp: string): boolean {
  return existsSync(EXECUTABLE) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === stamp;
}

/** Everything the executable is made from: sources, the library, the pinned packages and Bun itself. */
function sourceHash(library: string): string {
  const hash = createHash("sha256");
  for (const path of filesUnder(join(ROOT, "src")))
    hash.update(relative(ROOT, path)).update(readFileSync(path));
  for (const name of ["package.json", "package-lock.json"]) hash.update(readFileSync(join(ROOT, name)));
  return hash.update(readFileSync(library)).update(process.versions.bun).digest("hex");
}

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? filesUnder(path) : [path];
    });
}

if (import.meta.main) {
  try {
    await buildExecutable((line) => process.stderr.write(`${line}\n`));
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    process.stderr.write(`${error.message}\n  What helps: ${error.remedy}\n`);
    process.exit(ERROR_CODES[error.code].exit);
  }
}
