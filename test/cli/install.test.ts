/** Where `install` puts things, and that doing it twice changes nothing. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyStep } from "../../src/cli/install/apply.ts";
import { planInstall, planUninstall, unitFor } from "../../src/cli/install/plan.ts";
import { loadSettings } from "../../src/config/load.ts";
import { run } from "./run-for-test.ts";

const UNIT = readFileSync(join(import.meta.dir, "../../systemd/engram-appliance.service"), "utf8");

function newRoot() {
  const root = mkdtempSync(join(tmpdir(), "engram-install-"));
  const executable = join(root, "built");
  writeFileSync(executable, "#!/bin/sh\n");
  return { root, executable };
}

describe("planInstall", () => {
  test("planInstall installs below a root, and again without a change", () => {
    const { root, executable } = newRoot();
    const wishes = { root, prefix: "/usr/local", user: "engram", executable, unitText: UNIT };
    // The user is made by tools of the system, which need root; everything else does not.
    const plan = planInstall(wishes).filter(({ kind }) => kind !== "user");
    expect(plan.map(applyStep).map(({ outcome }) => outcome)).toEqual(plan.map(() => "changed"));
    expect(plan.map(applyStep).map(({ outcome }) => outcome)).toEqual(plan.map(() => "unchanged"));

    expect(statSync(join(root, "usr/local/bin/engram-appliance")).mode & 0o777).toBe(0o755);
    const config = join(root, "etc/engram-appliance/config.toml");
    expect(statSync(config).mode & 0o777).toBe(0o644);
    expect(loadSettings({ file: config, environment: {} }).settings.data.dir).toBe(
      "/var/lib/engram-appliance",
    );
    expect(readFileSync(join(root, "etc/systemd/system/engram-appliance.service"), "utf8")).toBe(UNIT);
    rmSync(root, { recursive: true });
  });

  test("planInstall brings the executable up to date and leaves settings alone", () => {
    const { root, executable } = newRoot();
    const wishes = { root, prefix: "/opt/engram", user: "engram", executable, unitText: UNIT };
    const plan = planInstall(wishes).filter(({ kind }) => kind !== "user");
    plan.forEach(applyStep);
    const config = join(root, "etc/engram-appliance/config.toml");
    writeFileSync(config, "# mine\n");
    writeFileSync(executable, "#!/bin/sh\n# newer\n");
    plan.forEach(applyStep);
    expect(readFileSync(config, "utf8")).toBe("# mine\n");
    expect(readFileSync(join(root, "opt/engram/bin/engram-appliance"), "utf8")).toContain("newer");
    rmSync(root, { recursive: true });
  });

  test.skipIf(process.getuid?.() !== 0)("planInstall makes the system user below a root (needs root)", () => {
    const { root, executable } = newRoot();
    const plan = planInstall({ root, prefix: "/usr/local", user: "engram-test", executable, unitText: UNIT });
    plan.forEach(applyStep);
    expect(readFileSync(join(root, "etc/passwd"), "utf8")).toMatch(/^engram-test:.*nologin$/m);
    rmSync(root, { recursive: true });
  });

  test("planUninstall takes away what was installed, and keeps settings", () => {
    const { root, executable } = newRoot();
    const wishes = { root, prefix: "/usr/local", user: "engram", executable, unitText: UNIT };
    planInstall(wishes)
      .filter(({ kind }) => kind !== "user")
      .forEach(applyStep);
    planUninstall(wishes).forEach(applyStep);
    expect(existsSync(join(root, "usr/local/bin/engram-appliance"))).toBeFalse();
    expect(existsSync(join(root, "etc/systemd/system/engram-appliance.service"))).toBeFalse();
    expect(existsSync(join(root, "etc/engram-appliance/config.toml"))).toBeTrue();
    expect(
      planUninstall(wishes)
        .map(applyStep)
        .map(({ outcome }) => outcome),
    ).not.toContain("changed");
    rmSync(root, { recursive: true });
  });

  test("unitFor writes prefix and user into the unit and nothing else", () => {
    expect(unitFor(UNIT, "/usr/local", "engram")).toBe(UNIT);
    const other = unitFor(UNIT, "/opt/e", "memory");
    expect(other).toContain("ExecStart=/opt/e/bin/engram-appliance serve --config");
    expect(other).toContain("\nUser=memory\nGroup=memory\n");
  });
});

describe("install", () => {
  test("install refuses to run from a plain Bun, and names no user that can not be one", async () => {
    expect((await run(["install", "--root", "/nonexistent"])).err).toContain(
      "this is not the built executable",
    );
    expect((await run(["install", "--user", "No Such"])).exitCode).toBe(64);
  });
});
