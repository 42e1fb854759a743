import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildNative } from "../../src/build/native.ts";
import { shimPath } from "../../src/ffi/library.ts";

const hasBinutils = spawnSync("readelf", ["--version"]).status === 0;

test("buildNative answers in a moment when nothing changed", async () => {
  await buildNative();
  const startedAtMs = performance.now();
  expect(await buildNative()).toBe(shimPath);
  expect(performance.now() - startedAtMs).toBeLessThan(process.env["NUMA_LAB"] === "1" ? 5000 : 200);
  // Long enough for a compilation, where a source was changed since the last one.
}, 300_000);

test.skipIf(!hasBinutils)("libengram.so needs glibc alone, of the version of Debian 12 at most", () => {
  const read = (option: string): string =>
    spawnSync("readelf", ["-W", option, shimPath], { encoding: "utf8" }).stdout;
  const needed = [...read("-d").matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1]!);
  for (const name of needed)
    expect(name).toMatch(/^(libc|libm|libpthread|ld-linux-x86-64|ld-linux-aarch64)\.so\.\d+$/);
  const versions = [...read("-V").matchAll(/GLIBC_2\.(\d+)/g)].map((match) => Number(match[1]));
  expect(Math.max(...versions)).toBeLessThanOrEqual(36);
});

test.skipIf(!hasBinutils)("libengram.so exports the shim's functions and nothing else", () => {
  const symbols = spawnSync("readelf", ["-W", "--dyn-syms", shimPath], { encoding: "utf8" }).stdout;
  const exported = [...symbols.matchAll(/(?:FUNC|OBJECT|NOTYPE) +(?:GLOBAL|WEAK) +\w+ +(?!UND)\d+ +(\S+)/g)];
  const names = exported.map((match) => match[1]!);
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !name.startsWith("shim_"))).toEqual([]);
});

test("libengram.so is carried inside a compiled executable", () => {
  const directory = mkdtempSync(join(tmpdir(), "engram-compile-"));
  const source = join(directory, "main.ts");
  const library = join(import.meta.dir, "../../src/ffi/crc32c.ts");
  writeFileSync(
    source,
    `import { crc32c } from ${JSON.stringify(library)};
     if (Bun.isMainThread) new Worker(new URL(import.meta.url)).onmessage = ({ data }) => {
       console.log(crc32c(Buffer.from("123456789")).toString(16), data);
       process.exit(0);
     };
     else postMessage(crc32c(Buffer.from("123456789")).toString(16));`,
  );
  const binary = join(directory, "program");
  const built = spawnSync(process.execPath, ["build", "--compile", source, "--outfile", binary], {
    encoding: "utf8",
  });
  expect(built.status, built.stderr).toBe(0);
  const ran = spawnSync(binary, [], { cwd: "/", env: {}, encoding: "utf8" });
  expect(ran.stdout).toBe("e3069283 e3069283\n");
  rmSync(directory, { recursive: true });
}, 60_000);
