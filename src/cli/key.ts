/**
 * `key`: API keys of an appliance, made, listed and revoked in its data directory.
 *
 * The file is changed directly, so that the first key can be made before the appliance runs; a running one reads the
 * change within a second.
 */
import { mkdirSync } from "node:fs";
import { systemClock } from "../base/clock.ts";
import { OperatorError } from "../base/errors.ts";
import { SPACE_NAME } from "../layout/space-name.ts";
import {
  ALL_SPACES,
  createKey,
  isLive,
  type KeyRecord,
  RIGHTS,
  type Right,
  readKeys,
  revokeKey,
} from "../storage/key-store.ts";
import { type Command, type CommandContext, JSON_OPTION, optionText, present } from "./command.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { CONFIG_OPTION, DATA_OPTION, loadSettingsOf } from "./settings-options.ts";
import { table } from "./text-table.ts";

const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS, y: 365 * DAY_MS };
const NAME_CHARS_MAX = 128;

export const keyCommand: Command = {
  name: "key",
  summary: "Make, list and revoke API keys",
  details:
    "Without any key, the API is open to programs on this machine and to nobody else. From the first key on every " +
    "request needs one. A running appliance reads a change within a second.",
  commands: [
    {
      name: "create",
      summary: "Make a key, and print it once",
      arguments: [{ name: "name", about: "what to call the key" }],
      options: [
        { flags: "--rights <LIST>", about: "read, write, admin, separated by commas (default: read,write)" },
        { flags: "--spaces <LIST>", about: "memory spaces it opens, separated by commas (default: all)" },
        { flags: "--expires <TIME>", about: "a time such as 2027-01-31, or a span such as 12h, 90d, 2w, 1y" },
        CONFIG_OPTION,
        DATA_OPTION,
        JSON_OPTION,
      ],
      examples: [
        ["engram-appliance key create agent-7 --spaces agent-7", "reads and writes one space"],
        ["engram-appliance key create admin --rights read,write,admin", "does everything"],
        ["engram-appliance key create ci --rights read --expires 90d", "reads, for 90 days"],
      ],
      run: create,
    },
    {
      name: "list",
      summary: "List the keys, without their secrets",
      options: [CONFIG_OPTION, DATA_OPTION, JSON_OPTION],
      run: list,
    },
    {
      name: "revoke",
      summary: "Revoke a key for good",
      arguments: [{ name: "id", about: "its id, or its name where only one live key has it" }],
      options: [CONFIG_OPTION, DATA_OPTION, JSON_OPTION],
      run: revoke,
    },
  ],
};

async function create(context: CommandContext): Promise<number> {
  const nowMs = systemClock.wallMs();
  const name = context.arguments[0] ?? "";
  if (name.length === 0 || name.length > NAME_CHARS_MAX) {
    throw usage(
      `Cannot call a key ${JSON.stringify(name)}`,
      `Give a name of 1 to ${NAME_CHARS_MAX} characters`,
    );
  }
  const expires = optionText(context, "expires");
  const { key, record } = await createKey(
    madeDataDir(context),
    {
      name,
      rights: rightsOf(optionText(context, "rights") ?? "read,write"),
      spaces: spacesOf(optionText(context, "spaces")),
      expiresAtMs: expires === undefined ? undefined : expiryMs(expires, nowMs),
    },
    nowMs,
  );
  if (context.options["json"] !== true) {
    context.err(`Made key ${record.id} (${name}). This is the only time its secret is shown:\n`);
  }
  present(context, { ...shown(record, nowMs), key }, () => key);
  return EXIT_CODES.ok.status;
}

function list(context: CommandContext): number {
  const nowMs = systemClock.wallMs();
  const keys = readKeys(dataDirOf(context)).keys.map((record) => shown(record, nowMs));
  present(context, { keys }, () =>
    keys.length === 0
      ? "There are no keys: the API is open to programs on this machine, and to nobody else"
      : table(
          ["id", "name", "state", "rights", "spaces", "created", "expires"],
          keys.map(({ id, name, state, rights, spaces, created_at, expires_at }) => [
            ...[id, name, state, rights.join(","), spaces.join(","), created_at.slice(0, 10)],
            expires_at?.slice(0, 10) ?? "-",
          ]),
        ),
  );
  return EXIT_CODES.ok.status;
}

function revoke(context: CommandContext): number {
  const nowMs = systemClock.wallMs();
  const record = revokeKey(dataDirOf(context), context.arguments[0] ?? "", nowMs);
  present(context, shown(record, nowMs), ({ id, name }) => `Revoked key ${id} (${name})`);
  return EXIT_CODES.ok.status;
}

/** A key as it is printed: without its hash. */
function shown(record: KeyRecord, nowMs: number) {
  const live = isLive(record, nowMs) ? "live" : "expired";
  return {
    id: record.id,
    name: record.name,
    state: record.revokedAtMs === undefined ? live : "revoked",
    rights: record.rights,
    spaces: record.spaces,
    created_at: new Date(record.createdAtMs).toISOString(),
    expires_at: record.expiresAtMs === undefined ? undefined : new Date(record.expiresAtMs).toISOString(),
    revoked_at: record.revokedAtMs === undefined ? undefined : new Date(record.revokedAtMs).toISOString(),
  };
}

function dataDirOf(context: CommandContext): string {
  return loadSettingsOf(context).settings.data.dir;
}

/** The data directory; made where it is missing, because the first key may come before the first start. */
function madeDataDir(context: CommandContext): string {
  const dataDir = dataDirOf(context);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new OperatorError({
      code: "keys-unwritable",
      message: `Cannot make the data directory ${dataDir}: ${cause instanceof Error ? cause.message : String(cause)}`,
      remedy: "Name another with --data DIR, or run the command as root or as the user of the appliance",
      cause,
    });
  }
  return dataDir;
}

function rightsOf(text: string): Right[] {
  const wanted = partsOf(text);
  for (const right of wanted) {
    if (!(RIGHTS as readonly string[]).includes(right)) {
      throw usage(`Cannot read --rights ${text}: there is no right "${right}"`, `Use ${RIGHTS.join(", ")}`);
    }
  }
  if (wanted.length === 0) throw usage("Cannot make a key without a right", `Use ${RIGHTS.join(", ")}`);
  return wanted as Right[];
}

function spacesOf(text: string | undefined): string[] {
  if (text === undefined) return [ALL_SPACES];
  const wanted = partsOf(text);
  for (const space of wanted) {
    if (space !== ALL_SPACES && !SPACE_NAME.test(space)) {
      throw usage(
        `Cannot read --spaces ${text}: "${space}" is no name of a memory space`,
        "Use letters, digits, dots, hyphens and underscores; * opens all",
      );
    }
  }
  if (wanted.length === 0) throw usage("Cannot make a key that opens no space", "Name a space, or * for all");
  return wanted;
}

/** @returns ms since 1970 of a time to come, given as a day, an ISO time or a span */
function expiryMs(text: string, nowMs: number): number {
  const span = /^(\d{1,5})([hdwy])$/.exec(text);
  const atMs = span === null ? Date.parse(text) : nowMs + Number(span[1]) * UNIT_MS[span[2]!]!;
  if (
    !/^(\d{1,5}[hdwy]|\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?)$/.test(text) ||
    !Number.isFinite(atMs)
  ) {
    throw usage(`Cannot read --expires ${text}`, "Give a day as 2027-01-31, or a span as 12h, 90d, 2w, 1y");
  }
  if (atMs <= nowMs)
    throw usage(`Cannot make a key that expires at ${text}: that is past`, "Give a time to come");
  return atMs;
}

function partsOf(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function usage(message: string, remedy: string): OperatorError {
  return new OperatorError({ code: "usage", message, remedy });
}
