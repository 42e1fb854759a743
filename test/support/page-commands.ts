/** The commands of a page of the docs, so that a test can run each as it stands there. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROGRAM } from "./appliance-process.ts";

const ROOT = join(import.meta.dir, "../..");

export type PageCommand = {
  readonly line: string;
  /** the program that it needs beside the appliance's own; empty for none */
  readonly needs: string;
};

export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The lines of the page's shell blocks, but for the one that says where the appliance is. */
export function commandsOf(page: string): PageCommand[] {
  return [...page.matchAll(/^```sh ?(.*)\n([\s\S]*?)^```$/gm)].flatMap(([, needs, text]) =>
    text!
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("URL="))
      .map((line) => ({ line, needs: needs! })),
  );
}

/** Makes a directory with the program by the name that pages call it. */
export function programDirectory(parent: string): string {
  const bin = join(parent, "bin");
  mkdirSync(bin);
  const words = PROGRAM.map((word) => `'${word}'`).join(" ");
  writeFileSync(join(bin, "engram-appliance"), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  return bin;
}

/** Runs a line: one that names files of the repository there, one that makes files in `directory`. */
export async function runLine(
  line: string,
  { directory, environment }: { directory: string; environment: Readonly<Record<string, string>> },
): Promise<{ readonly status: number; readonly out: string; readonly err: string }> {
  const cwd = line.includes(" docs/") ? ROOT : directory;
  const run = Bun.spawn(["sh", "-c", line], { cwd, env: environment, stdout: "pipe", stderr: "pipe" });
  const [status, out, err] = await Promise.all([
    run.exited,
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
  ]);
  return { status, out, err };
}
