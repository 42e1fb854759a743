/**
 * The native kernels of the mind, and the protocol by which they read bindings under their writer's hands, with the
 * compiler's sanitizers: addresses and undefined behaviour, and races between threads.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const CHECK_MS_MAX = 120_000;
/** NumKong's kernels are inlined by its headers here, as plain as they come: the checks are of ours. */
const FLAGS = [
  "-std=gnu11",
  "-O1",
  "-g",
  "-fno-omit-frame-pointer",
  "-DNK_DYNAMIC_DISPATCH=0",
  "-w",
  "-pthread",
];
const INCLUDES = ["-I", join(ROOT, "native"), "-I", join(ROOT, "node_modules/usearch/numkong/include")];

const CHECKS = {
  "kernels-check.c": ["centroids.c", "centroids-serial.c", "centroids-tiled.c", "decay.c"],
  "bindings-check.c": ["spread.c"],
} as const;
const SANITIZERS = ["address,undefined", "thread"] as const;
/** A loader picks among clones before the thread sanitizer is up, which kills the program: it gets one clone. */
const FLAGS_FOR: Readonly<Record<(typeof SANITIZERS)[number], readonly string[]>> = {
  "address,undefined": [],
  thread: ["-U__gnu_linux__"],
};

const directory = mkdtempSync(join(tmpdir(), "engram-sanitizers-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Why a sanitizer can not be had here; undefined where it can. */
function whyWithout(sanitizer: string): string | undefined {
  const source = join(directory, "probe.c");
  const program = join(directory, "probe");
  writeFileSync(source, "int main(void) { return 0; }\n");
  const built = spawnSync("cc", [`-fsanitize=${sanitizer}`, source, "-o", program], { encoding: "utf8" });
  if (built.error !== undefined) return "no C compiler answers as cc";
  if (built.status !== 0) return `cc has no -fsanitize=${sanitizer}`;
  return spawnSync(program).status === 0 ? undefined : `what -fsanitize=${sanitizer} makes does not run here`;
}

describe.each(SANITIZERS)("with -fsanitize=%s", (sanitizer) => {
  const reason = whyWithout(sanitizer);
  for (const [check, sources] of Object.entries(CHECKS)) {
    const name = `${check} finds nothing${reason === undefined ? "" : ` (skipped: ${reason})`}`;
    test.skipIf(reason !== undefined)(
      name,
      () => {
        const program = join(directory, `${check}.${sanitizer.slice(0, 6)}`);
        const paths = [join(import.meta.dir, check), ...sources.map((each) => join(ROOT, "native", each))];
        const built = spawnSync(
          "cc",
          [
            ...FLAGS,
            ...FLAGS_FOR[sanitizer],
            `-fsanitize=${sanitizer}`,
            "-fno-sanitize-recover=all",
            ...INCLUDES,
            ...paths,
            "-o",
            program,
            "-lm",
          ],
          { encoding: "utf8" },
        );
        expect(`${built.status}\n${built.stderr}`).toBe("0\n");
        const ran = spawnSync(program, [], { encoding: "utf8", timeout: CHECK_MS_MAX });
        expect(`${ran.status} ${ran.stdout}${ran.stderr}`).toBe("0 ok\n");
      },
      2 * CHECK_MS_MAX,
    );
  }
});
