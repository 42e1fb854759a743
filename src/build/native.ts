/**
 * Builds `dist/libengram.so`: the C shim, the vector graph and NumKong's kernels, in one library.
 *
 *   native/*.c, native/*.cpp            ours
 *   usearch/numkong/c/*.c               kernels from the sources inside the usearch package
 *   usearch/include                     header-only, compiled into native/vector-*.cpp
 *
 * Every source becomes an object file named after the hash of what went into it (source, our headers, flags,
 * compiler, package version), kept in `.cache/native/`: only what changed is compiled again, NumKong once.
 * Nothing is compiled for this machine's processor: NumKong's kernels carry their own instruction sets and
 * are picked at run time, and so do ours, so the library runs on every x86-64 or arm64 server of the same
 * or a newer glibc. The C++ runtime is linked in; what remains needed is glibc.
 *
 * Run it (`bun src/build/native.ts`), or call `buildNative()`. When nothing changed it costs a few ms and
 * needs no compiler.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { OperatorError } from "../base/errors.ts";

const ROOT = join(import.meta.dir, "../..");
const NATIVE = join(ROOT, "native");
const CACHE = join(ROOT, ".cache/native");
const LIBRARY = join(ROOT, "dist/libengram.so");
const STAMP = join(CACHE, "libengram.stamp");

const COMMON_FLAGS = [
  "-O3",
  "-g1",
  "-fPIC",
  "-fvisibility=hidden",
  "-ffunction-sections",
  "-fdata-sections",
  "-fno-math-errno",
  "-fstack-protector-strong",
  "-DNK_DYNAMIC_DISPATCH=1",
  "-DNK_NATIVE_F16=0",
  "-DNK_NATIVE_BF16=0",
];
const WARNINGS = ["-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Wno-psabi"];
const C_WARNINGS = [...WARNINGS, "-Werror=implicit-function-declaration"];
const LINK_FLAGS = [
  "-shared",
  "-static-libstdc++",
  "-static-libgcc",
  "-Wl,--gc-sections",
  "-Wl,--no-undefined",
  "-Wl,-z,now",
  "-Wl,-z,relro",
  "-Wl,--compress-debug-sections=zlib",
  "-pthread",
  "-lm",
];
/** Only our own exports are seen from outside; what none of them reaches is left out of the library. */
const VERSION_SCRIPT = "{ global: shim_*; local: *; };\n";

type Source = { readonly path: string; readonly flags: readonly string[]; readonly compiler: "cc" | "c++" };

/**
 * Brings `dist/libengram.so` up to date and returns its path.
 *
 * @throws {OperatorError} `compiler-missing` naming the package, `native-build-failed` with the compiler's words
 */
export async function buildNative(log: (line: string) => void = () => {}): Promise<string> {
  const usearch = usearchPackage();
  const sourcesKey = hashOf([
    usearch.version,
    ...ourFiles().flatMap((path) => [basename(path), readFileSync(path)]),
  ]);
  const stamp = hashOf([sourcesKey, readFileSync(import.meta.path)]);
  if (existsSync(LIBRARY) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === stamp) return LIBRARY;

  const compilers = findCompilers();
  mkdirSync(CACHE, { recursive: true });
  mkdirSync(dirname(LIBRARY), { recursive: true });

  const probes = probeKernels(usearch, compilers);
  const sources = [...numkongSources(usearch, probes), ...ourSources(usearch)];
  const objects = await compileAll(sources, { usearch, compilers, probes, log });

  const script = join(CACHE, "exports.map");
  writeFileSync(script, VERSION_SCRIPT);
  const fresh = `${LIBRARY}.${process.pid}`;
  await execute(compilers.cxx, ["-o", fresh, ...objects, `-Wl,--version-script=${script}`, ...LINK_FLAGS]);
  /* A rename, never a rewrite: a process that has the old library mapped keeps it. */
  renameSync(fresh, LIBRARY);
  writeFileSync(STAMP, stamp);
  log(`linked ${sources.length} objects into dist/libengram.so`);
  return LIBRARY;
}

type UsearchPackage = { readonly directory: string; readonly numkong: string; readonly version: string };

function usearchPackage(): UsearchPackage {
  const directory = join(ROOT, "node_modules/usearch");
  const manifest = join(directory, "package.json");
  if (!existsSync(manifest)) {
    throw new OperatorError({
      code: "native-build-failed",
      message: "Cannot build the native library: the usearch package is not installed",
      remedy: "npm ci",
    });
  }
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return { directory, numkong: join(directory, "numkong"), version };
}

/** Sources and headers of ours, sorted so that the hash does not depend on the order on disk. */
function ourFiles(): string[] {
  return readdirSync(NATIVE)
    .filter((name) => /\.(c|cpp|h)$/.test(name))
    .sort()
    .map((name) => join(NATIVE, name));
}

function ourSources(usearch: UsearchPackage): Source[] {
  const includes = [
    "-I",
    NATIVE,
    "-I",
    join(usearch.directory, "include"),
    "-I",
    join(usearch.numkong, "include"),
  ];
  return ourFiles()
    .filter((path) => !path.endsWith(".h"))
    .map((path) =>
      path.endsWith(".cpp")
        ? { path, compiler: "c++", flags: ["-std=c++17", ...COMMON_FLAGS, ...WARNINGS, ...includes] }
        : { path, compiler: "cc", flags: ["-std=gnu11", ...COMMON_FLAGS, ...C_WARNINGS, ...includes] },
    );
}

function numkongSources(usearch: UsearchPackage, probes: string): Source[] {
  const directory = join(usearch.numkong, "c");
  const flags = [
    "-std=gnu11",
    ...COMMON_FLAGS.filter((flag) => flag !== "-g1" && flag !== "-fstack-protector-strong"),
    "-w",
    "-Wno-psabi",
    "-I",
    join(usearch.numkong, "include"),
    "-include",
    probes,
  ];
  return readdirSync(directory)
    .filter((name) => name.endsWith(".c"))
    .sort()
    .map((name) => ({ path: join(directory, name), compiler: "cc", flags }));
}

type Compilers = { readonly cc: string; readonly cxx: string; readonly version: string };

function findCompilers(): Compilers {
  const cc = process.env["CC"] ?? "cc";
  const cxx = process.env["CXX"] ?? "c++";
  const versions = [cc, cxx].map((command) => {
    const answer = spawnSync(command, ["--version"], { encoding: "utf8" });
    if (answer.status === 0) return answer.stdout;
    throw new OperatorError({
      code: "compiler-missing",
      message: `Cannot build the native library: no compiler answers as ${command}`,
      remedy: "apt-get install build-essential (dnf install gcc gcc-c++ glibc-devel), or set CC and CXX",
      cause: answer.error,
    });
  });
  return { cc, cxx, version: versions.join("") };
}

/**
 * Which of NumKong's instruction sets this compiler can emit, as the header NumKong's own build makes with
 * probes/probe.js: each probe is a small source and the flags it needs, read from that script's table. Its
 * `main()` writes into the package, which may be read-only, so the table is used and the writing is ours.
 */
function probeKernels(usearch: UsearchPackage, compilers: Compilers): string {
  const script = readFileSync(join(usearch.numkong, "probes/probe.js"), "utf8");
  const header = join(CACHE, `numkong-probes-${hashOf([script, compilers.version]).slice(0, 16)}.h`);
  if (existsSync(header)) return header;

  const rows = [...script.matchAll(/^\s*\["(NK_TARGET_\w+)", "(probes\/\w+\.c)", \[([^\]]*)\]/gm)];
  if (rows.length === 0) {
    throw new OperatorError({
      code: "native-build-failed",
      message: "Cannot build the native library: NumKong's table of probes has changed its form",
      remedy: "Install the pinned dependencies: npm ci",
    });
  }
  const lines = rows.map(([, define, file, flagList]) => {
    const flags = [...(flagList ?? "").matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? "");
    const source = join(usearch.numkong, file ?? "");
    const tried = spawnSync(compilers.cc, [
      "-c",
      ...flags,
      source,
      "-o",
      join(tmpdir(), `nk-${process.pid}.o`),
    ]);
    return `#define ${define} ${tried.status === 0 ? 1 : 0}`;
  });
  rmSync(join(tmpdir(), `nk-${process.pid}.o`), { force: true });
  writeAtomically(
    header,
    `/* Made by src/build/native.ts: what this compiler can emit. */\n${lines.join("\n")}\n`,
  );
  return header;
}

type CompileContext = {
  readonly usearch: UsearchPackage;
  readonly compilers: Compilers;
  readonly probes: string;
  readonly log: (line: string) => void;
};

/** Compiles what is not in the cache, as many at a time as there are cores, and answers all object files. */
async function compileAll(sources: readonly Source[], context: CompileContext): Promise<string[]> {
  const { usearch, compilers, log } = context;
  const headers = hashOf(
    ourFiles()
      .filter((path) => path.endsWith(".h"))
      .map((path) => readFileSync(path)),
  );
  const probes = readFileSync(context.probes);
  const pending: (() => Promise<void>)[] = [];
  const objects = sources.map((source) => {
    const ours = source.path.startsWith(NATIVE);
    const key = hashOf([
      compilers.version,
      usearch.version,
      ours ? headers : probes,
      source.flags.filter((flag) => !flag.startsWith("/")).join(" "),
      readFileSync(source.path),
    ]);
    const object = join(CACHE, `${basename(source.path)}.${key.slice(0, 24)}.o`);
    if (!existsSync(object)) {
      pending.push(async () => {
        const startedAtMs = performance.now();
        const fresh = `${object}.${process.pid}`;
        const compiler = source.compiler === "c++" ? compilers.cxx : compilers.cc;
        await execute(compiler, ["-c", ...source.flags, "-pthread", source.path, "-o", fresh]);
        renameSync(fresh, object);
        log(
          `compiled ${basename(source.path)} in ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`,
        );
      });
    }
    return object;
  });
  const lanes = Array.from({ length: Math.min(availableParallelism(), pending.length) }, async () => {
    for (let job = pending.shift(); job !== undefined; job = pending.shift()) await job();
  });
  await Promise.all(lanes);
  return objects;
}

/** @throws {OperatorError} `native-build-failed` with what the command wrote */
function execute(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    let words = "";
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (text: string) => {
      words += text;
    });
    const fail = (cause?: unknown): void =>
      reject(
        new OperatorError({
          code: "native-build-failed",
          message: `Cannot build the native library: ${command} failed\n${words.slice(0, 8000)}`,
          remedy: "Install a C11 and C++17 compiler (GCC 12 is known to work), or set CC and CXX",
          cause,
        }),
      );
    child.on("error", fail);
    child.on("close", (status) => {
      if (status !== 0) return fail();
      if (words.length > 0) process.stderr.write(words);
      resolve();
    });
  });
}

function writeAtomically(path: string, text: string): void {
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
}

function hashOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}

if (import.meta.main) {
  try {
    await buildNative((line) => console.log(line));
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    console.error(`${error.message}\n${error.remedy}`);
    process.exit(70);
  }
}
