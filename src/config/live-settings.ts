/**
 * Changing settings of a running appliance: which changes there are, whether they are allowed, and making them.
 *
 * A setting says of itself whether it is `live` (`setting.ts`). Each thread has its own copy of the settings, in which
 * live ones are set in place; whoever reads them where they are used sees the new value from then on.
 */
import { brokenRelations, expectedText, unknownSetting } from "./load.ts";
import {
  findSetting,
  SETTINGS,
  type Settings,
  type SettingValue,
  settingsSchema,
  settingValue,
} from "./schema.ts";

export type SettingChange = {
  readonly path: string;
  readonly from: SettingValue;
  readonly to: SettingValue;
};

/** Why a change is refused. */
export type ChangeProblem = {
  readonly path: string;
  readonly kind: "unknown" | "invalid" | "not-live";
  readonly message: string;
  readonly expected: string;
};

/** What has to change to come from one set of settings to another. */
export function changesBetween(
  running: Settings,
  wanted: Settings,
): { readonly live: readonly SettingChange[]; readonly waiting: readonly SettingChange[] } {
  const live: SettingChange[] = [];
  const waiting: SettingChange[] = [];
  for (const { path, facts } of SETTINGS) {
    const change = { path, from: settingValue(running, path), to: settingValue(wanted, path) };
    if (change.from === change.to) continue;
    (facts.live === true ? live : waiting).push(change);
  }
  return { live, waiting };
}

/**
 * The changes that some values make to the running settings; all of them are allowed, or what is not is said.
 * @param values by dotted path
 */
export function checkChanges(
  running: Settings,
  values: Readonly<Record<string, unknown>>,
): { readonly changes: readonly SettingChange[] } | { readonly problem: ChangeProblem } {
  const changes: SettingChange[] = [];
  const wanted = structuredClone(running);
  for (const [path, value] of Object.entries(values)) {
    const setting = findSetting(path);
    if (setting === undefined) {
      const message = unknownSetting(path);
      return { problem: { path, kind: "unknown", message, expected: "the name of a setting" } };
    }
    const expected = expectedText(setting.facts);
    if (setting.facts.live !== true) {
      const message = `${path} takes effect when the appliance starts, and can not be changed while it runs`;
      return { problem: { path, kind: "not-live", message, expected: "a setting that is live" } };
    }
    const from = settingValue(running, path);
    put(wanted, path, value);
    if (!settingsSchema.safeParse(wanted).success) {
      const message = `${path} does not take ${JSON.stringify(value)}`;
      return { problem: { path, kind: "invalid", message, expected } };
    }
    const [broken] = brokenRelations(wanted);
    if (broken !== undefined) return { problem: { path, kind: "invalid", message: broken, expected } };
    // The schema has seen it.
    if (from !== value) changes.push({ path, from, to: value as SettingValue });
  }
  return { changes };
}

/** Sets changes in a copy of the settings, in place. */
export function makeChanges(settings: Settings, changes: readonly SettingChange[]): void {
  for (const { path, to } of changes) put(settings, path, to);
}

/** The changes that take others back. */
export function undoing(changes: readonly SettingChange[]): SettingChange[] {
  return changes.map(({ path, from, to }) => ({ path, from: to, to: from }));
}

function put(settings: Settings, path: string, value: unknown): void {
  const names = path.split(".");
  // Sections are plain objects; their types say which names they have.
  let at = settings as unknown as Record<string, unknown>;
  for (const name of names.slice(0, -1)) at = at[name] as Record<string, unknown>;
  at[names.at(-1)!] = value;
}
