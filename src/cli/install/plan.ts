/**
 * What `install` puts where: a pure function from wishes to steps, so that `--dry-run` prints what would
 * be done, and doing it twice changes nothing.
 *
 *   <prefix>/bin/engram-appliance                     the executable
 *   /etc/engram-appliance/config.toml                 settings, written once and never overwritten
 *   /etc/sysusers.d/engram-appliance.conf             the user that runs it
 *   /etc/systemd/system/engram-appliance.service      the unit
 *
 * The data in /var/lib/engram-appliance is made by systemd (StateDirectory=) and belongs to that user.
 */
import { join } from "node:path";
import { assert } from "../../base/assert.ts";
import { configTemplate } from "../../config/template.ts";

export const UNIT_NAME = "engram-appliance.service";
export const STATE_DIRECTORY = "/var/lib/engram-appliance";

export type InstallWishes = {
  /** everything goes below it; "/" for this machine */
  readonly root: string;
  /** where the executable goes, as the installed system will see it */
  readonly prefix: string;
  readonly user: string;
  /** the executable to copy */
  readonly executable: string;
  /** the text of `systemd/engram-appliance.service` */
  readonly unitText: string;
};

export type InstallStep =
  | { readonly kind: "copy"; readonly from: string; readonly path: string; readonly mode: number }
  | {
      readonly kind: "write";
      readonly path: string;
      readonly text: string;
      readonly mode: number;
      /** keep what is there, whatever it says */
      readonly once?: boolean;
    }
  | { readonly kind: "user"; readonly user: string; readonly root: string; readonly declaration: string }
  | { readonly kind: "reload" }
  | { readonly kind: "stop"; readonly unit: string }
  | { readonly kind: "remove"; readonly path: string };

/** Steps in the order they are taken. */
export function planInstall(wishes: InstallWishes): InstallStep[] {
  const { root, prefix, user } = wishes;
  const declaration = join(root, "etc/sysusers.d/engram-appliance.conf");
  return [
    { kind: "copy", from: wishes.executable, path: executablePath(wishes), mode: 0o755 },
    { kind: "write", path: declaration, text: userDeclaration(user), mode: 0o644 },
    { kind: "user", user, root, declaration },
    {
      kind: "write",
      path: join(root, "etc/engram-appliance/config.toml"),
      text: configTemplate(new Map([["data.dir", STATE_DIRECTORY]])),
      // Settings name the files that hold secrets and hold none; commands of every user read them.
      mode: 0o644,
      once: true,
    },
    { kind: "write", path: unitPath(root), text: unitFor(wishes.unitText, prefix, user), mode: 0o644 },
    ...reload(root),
  ];
}

/** Takes away what `planInstall` put there, except settings, data and the user, who owns the data. */
export function planUninstall(wishes: Pick<InstallWishes, "root" | "prefix">): InstallStep[] {
  const { root } = wishes;
  return [
    ...(root === "/" ? [{ kind: "stop", unit: UNIT_NAME } as const] : []),
    { kind: "remove", path: unitPath(root) },
    { kind: "remove", path: join(root, "etc/sysusers.d/engram-appliance.conf") },
    { kind: "remove", path: executablePath(wishes) },
    ...reload(root),
  ];
}

/** The unit with this prefix and this user. */
export function unitFor(unitText: string, prefix: string, user: string): string {
  const unit = unitText
    .replace(/^ExecStart=\S+/m, `ExecStart=${join(prefix, "bin/engram-appliance")}`)
    .replace(/^User=.*$/m, `User=${user}`)
    .replace(/^Group=.*$/m, `Group=${user}`);
  assert(unit.includes(`\nUser=${user}\n`), "the unit names its user");
  assert(unit.includes(`\nExecStart=${prefix}`), "the unit starts the executable");
  return unit;
}

/** One line of sysusers.d(5): a system user without a login, whose home is the data. */
function userDeclaration(user: string): string {
  return `u ${user} - "engram-appliance" ${STATE_DIRECTORY}\n`;
}

function executablePath({ root, prefix }: Pick<InstallWishes, "root" | "prefix">): string {
  return join(root, prefix, "bin/engram-appliance");
}

function unitPath(root: string): string {
  return join(root, "etc/systemd/system", UNIT_NAME);
}

function reload(root: string): InstallStep[] {
  return root === "/" ? [{ kind: "reload" }] : [];
}
