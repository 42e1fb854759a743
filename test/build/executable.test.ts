/** One file is enough: the executable in a root that holds nothing but glibc. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { VERSION } from "../../src/base/version.ts";
import { EXECUTABLE, serveWith } from "../support/executable.ts";

/** Why this user can not make an emptied root; undefined where it can. */
const whyNoRoot = (() => {
  const tried = spawnSync("unshare", ["--mount", "--map-root-user", "true"], { encoding: "utf8" });
  if (tried.error !== undefined) return "unshare is not installed (apt-get install util-linux)";
  return tried.status === 0 ? undefined : `unshare: ${tried.stderr.trim()}`;
})();

describe("dist/engram-appliance", () => {
  test("dist/engram-appliance needs glibc and nothing else", () => {
    const names = libraries(EXECUTABLE).map((path) => path.split("/").at(-1)!);
    expect(names.filter((name) => !/^(lib(c|m|dl|pthread|rt)\.so\.\d|ld-linux.*)$/.test(name))).toEqual([]);
  });

  test("dist/engram-appliance holds no path of the machine that built it", () => {
    const root = join(import.meta.dir, "../..");
    expect(readFileSync(EXECUTABLE).includes(`${root}/src`)).toBeFalse();
  });

  test("dist/engram-appliance takes no settings from a .env or bunfig.toml beside it", async () => {
    const directory = mkdtempSync(join(tmpdir(), "engram-exe-"));
    await Bun.write(join(directory, ".env"), "ENGRAM_SERVER__PORT=99999\n");
    await Bun.write(join(directory, "bunfig.toml"), 'preload = ["./missing.ts"]\n');
    const answer = spawnSync(EXECUTABLE, ["config", "get", "server.port"], {
      cwd: directory,
      encoding: "utf8",
      env: { ENGRAM_CONFIG: "" },
    });
    expect({ status: answer.status, out: answer.stdout }).toEqual({ status: 0, out: "7432\n" });
    rmSync(directory, { recursive: true });
  });

  describe(`in an emptied root${whyNoRoot === undefined ? "" : `; skipped: ${whyNoRoot}`}`, () => {
    let root: string;
    /** The command line that runs the executable inside: a mount namespace of its own, /proc, and the root. */
    const inside = (...words: string[]): string[] => {
      const script = 'mount --rbind /proc "$0/proc" && exec chroot "$0" /engram-appliance "$@"';
      return ["unshare", "--mount", "--map-root-user", "sh", "-c", script, root, ...words];
    };

    beforeAll(() => {
      if (whyNoRoot !== undefined) return;
      root = mkdtempSync(join(tmpdir(), "engram-root-"));
      for (const directory of ["proc", "tmp", "data"]) mkdirSync(join(root, directory), { mode: 0o700 });
      for (const library of libraries(EXECUTABLE)) {
        mkdirSync(join(root, dirname(library)), { recursive: true });
        cpSync(library, join(root, library), { dereference: true });
      }
      copyFileSync(EXECUTABLE, join(root, "engram-appliance"));
    });
    afterAll(() => {
      if (root !== undefined) rmSync(root, { recursive: true, force: true });
    });

    test.skipIf(whyNoRoot !== undefined)(
      "dist/engram-appliance runs its commands without Bun, packages or repository",
      () => {
        expect(readdirSync(root).sort()).toEqual(
          [
            "data",
            "engram-appliance",
            "proc",
            "tmp",
            ...new Set(libraries(EXECUTABLE).map((path) => path.split("/")[1]!)),
          ].sort(),
        );
        const [program, ...words] = inside("version");
        expect(execFileSync(program!, words, { encoding: "utf8" })).toBe(`engram-appliance ${VERSION}\n`);
        const [doctor, ...doctorWords] = inside("doctor", "--json", "--data", "/data", "--port", "0");
        const answer = spawnSync(doctor!, doctorWords, { encoding: "utf8" });
        expect(JSON.parse(answer.stdout).findings.length).toBeGreaterThan(10);
      },
    );

    test.skipIf(whyNoRoot !== undefined)(
      "dist/engram-appliance stores and recalls, and its docs page is inside",
      async () => {
        const served = await serveWith(inside("serve", "--port", "0", "--data", "/data"));
        const stored = await fetch(`${served.url}/api/v1/memories/remember`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ content: "Ada keeps bees behind the old mill", id: "bees" }),
        });
        expect(stored.status).toBe(201);
        const recalled = await fetch(`${served.url}/api/v1/memories/recall?query=who%20keeps%20bees`);
        expect(((await recalled.json()) as { memories: { id: string }[] }).memories[0]?.id).toBe("bees");
        const page = await fetch(`${served.url}/api/v1/docs`);
        expect(page.status).toBe(200);
        const assets = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!);
        expect(assets.length).toBeGreaterThan(0);
        for (const asset of assets) {
          const address = new URL(asset, `${served.url}/api/v1/docs`);
          expect(address.origin, asset).toBe(served.url);
          const answer = await fetch(address);
          await answer.arrayBuffer();
          expect(answer.status, asset).toBe(200);
        }
        expect(await served.stop()).toBe(0);
        expect(served.log()).toContain("engram-appliance: stopped");
      },
      60_000,
    );
  });
});

/** The shared libraries a program needs, the loader among them, as paths. */
function libraries(program: string): string[] {
  const listed = execFileSync("ldd", [program], { encoding: "utf8" });
  return [...listed.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path!);
}
