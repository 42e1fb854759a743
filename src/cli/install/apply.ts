/**
 * Takes the steps of a plan, one by one, and says of each whether it changed anything.
 *
 * Files are written beside their place and renamed over it, so that a running appliance keeps the
 * executable it started from, and an interrupted installation leaves whole files.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { OperatorError } from "../../base/errors.ts";
import type { InstallStep } from "./plan.ts";

export type StepResult = {
  readonly what: string;
  /** "unchanged" where nothing had to be done, "skipped" where it could not be, with the reason in `what` */
  readonly outcome: "changed" | "unchanged" | "skipped";
};

/** @throws {OperatorError} `install-failed` */
export function applyStep(step: InstallStep): StepResult {
  try {
    switch (step.kind) {
      case "copy":
        return copyExecutable(step.from, step.path, step.mode);
      case "write":
        return writeText(step);
      case "user":
        return makeUser(step);
      case "reload":
        return systemctl(["daemon-reload"], "systemd reads its units again");
      case "stop":
        return systemctl(["disable", "--now", step.unit], `stopped ${step.unit}`);
      case "remove": {
        if (!existsSync(step.path)) return { what: `${step.path} is not there`, outcome: "unchanged" };
        rmSync(step.path);
        return { what: `removed ${step.path}`, outcome: "changed" };
      }
    }
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    const { code, path } = cause as NodeJS.ErrnoException;
    const denied = code === "EACCES" || code === "EPERM" || code === "EROFS";
    throw new OperatorError({
      code: denied ? "install-denied" : "install-failed",
      message: `Cannot install: ${path ?? describeStep(step)}: ${code ?? String(cause)}`,
      remedy: denied ? "Run it as root, or into a directory of yours with --root" : "See the message above",
      cause,
    });
  }
}

/** What a step would do, for `--dry-run`. */
export function describeStep(step: InstallStep): string {
  switch (step.kind) {
    case "copy":
      return `copy ${step.from} to ${step.path}`;
    case "write":
      return step.once === true && existsSync(step.path) ? `keep ${step.path}` : `write ${step.path}`;
    case "user":
      return `make the system user ${step.user}`;
    case "reload":
      return "systemctl daemon-reload";
    case "stop":
      return `systemctl disable --now ${step.unit}`;
    case "remove":
      return `remove ${step.path}`;
  }
}

function copyExecutable(from: string, path: string, mode: number): StepResult {
  if (existsSync(path) && sameBytes(from, path))
    return { what: `${path} is up to date`, outcome: "unchanged" };
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.new`;
  copyFileSync(from, fresh);
  chmodSync(fresh, mode);
  renameSync(fresh, path);
  return { what: `copied the executable to ${path}`, outcome: "changed" };
}

function sameBytes(one: string, other: string): boolean {
  if (statSync(one).size !== statSync(other).size) return false;
  return readFileSync(one).equals(readFileSync(other));
}

function writeText(step: Extract<InstallStep, { kind: "write" }>): StepResult {
  const { path, text, mode, once } = step;
  if (existsSync(path)) {
    if (once === true) return { what: `kept ${path}`, outcome: "unchanged" };
    if (readFileSync(path, "utf8") === text) return { what: `${path} is up to date`, outcome: "unchanged" };
  }
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.new`;
  writeFileSync(fresh, text, { mode });
  chmodSync(fresh, mode);
  renameSync(fresh, path);
  return { what: `wrote ${path}`, outcome: "changed" };
}

/** The user, made by systemd-sysusers from its declaration, or by useradd where there is no systemd. */
function makeUser({ user, root, declaration }: Extract<InstallStep, { kind: "user" }>): StepResult {
  if (findGroup(root, user) !== undefined) return { what: `the user ${user} exists`, outcome: "unchanged" };
  const attempts: [string, string[]][] = [
    ["systemd-sysusers", [...(root === "/" ? [] : [`--root=${root}`]), declaration]],
    [
      "useradd",
      [
        ...(root === "/" ? [] : ["--root", root]),
        "--system",
        "--user-group",
        "--shell",
        "/usr/sbin/nologin",
        user,
      ],
    ],
  ];
  const reasons: string[] = [];
  for (const [program, words] of attempts) {
    const answer = spawnSync(program, words, { encoding: "utf8" });
    if (answer.status === 0 && findGroup(root, user) !== undefined) {
      return { what: `made the system user ${user} with ${program}`, outcome: "changed" };
    }
    reasons.push(`${program}: ${answer.error === undefined ? answer.stderr.trim() : "not installed"}`);
  }
  throw new OperatorError({
    code: "install-failed",
    message: `Cannot make the system user ${user}: ${reasons.join("; ")}`,
    remedy: `Make it by hand, then again: useradd --system --user-group ${user}`,
  });
}

function systemctl(words: readonly string[], what: string): StepResult {
  // sd_booted(3): this directory exists where systemd runs the machine.
  if (!existsSync("/run/systemd/system")) {
    return { what: `systemctl ${words.join(" ")}: systemd does not run this machine`, outcome: "skipped" };
  }
  const answer = spawnSync("systemctl", words, { encoding: "utf8" });
  if (answer.status === 0) return { what, outcome: "changed" };
  return { what: `systemctl ${words.join(" ")}: ${(answer.stderr ?? "").trim()}`, outcome: "skipped" };
}

/** The id of a group in the root's own /etc/group. */
function findGroup(root: string, group: string): number | undefined {
  const path = join(root, "etc/group");
  if (!existsSync(path)) return undefined;
  const line = readFileSync(path, "utf8")
    .split("\n")
    .find((candidate) => candidate.startsWith(`${group}:`));
  return line === undefined ? undefined : Number(line.split(":")[2]);
}
