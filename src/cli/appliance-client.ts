/**
 * How commands call a running appliance: over its HTTP API, as every other client does.
 *
 * The address is `--url`, else $ENGRAM_URL, else the one the settings name. The key is read from a file
 * (`--key-file`, else $ENGRAM_KEY_FILE), never from the command line, which other users can see.
 */
import { readFileSync } from "node:fs";
import { OperatorError } from "../base/errors.ts";
import { type CommandContext, type CommandOption, optionText } from "./command.ts";
import { loadSettingsOf } from "./settings-options.ts";

export const CLIENT_OPTIONS: readonly CommandOption[] = [
  { flags: "--url <URL>", about: "the running appliance (default: $ENGRAM_URL, else what the settings say)" },
  { flags: "--key-file <FILE>", about: "file that holds the API key (default: $ENGRAM_KEY_FILE)" },
  { flags: "--config <FILE>", about: "settings file that says where the appliance listens" },
];

const REQUEST_TIMEOUT_MS = 60_000;

/** The appliance answered with a problem (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly status: number;
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(status: number, problem: Readonly<Record<string, unknown>>) {
    super(String(problem["detail"] ?? problem["title"] ?? `HTTP ${status}`));
    this.status = status;
    this.problem = problem;
  }
}

/**
 * One call; answers the body, parsed.
 *
 * @param path from the root, as in /api/v1/spaces
 * @param space the memory space it works on, where the call works on one
 * @throws {ProblemError} when the appliance refuses
 * @throws {OperatorError} `appliance-unreachable`, `key-file-unreadable`
 */
export async function callAppliance(
  context: CommandContext,
  method: "GET" | "POST" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
  space?: string,
): Promise<unknown> {
  const headers: Record<string, string> = { ...accessHeaders(context), accept: "application/json" };
  if (space !== undefined) headers["x-memory-space"] = space;
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await send(applianceUrl(context), path, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  const parsed = parseJson(text);
  if (response.ok) return parsed;
  const problem = typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  throw new ProblemError(response.status, { title: `HTTP ${response.status}`, ...problem });
}

/** A call whose answer is text, such as `/metrics`. @throws as `callAppliance` does */
export async function readApplianceText(context: CommandContext, path: string): Promise<string> {
  const response = await send(applianceUrl(context), path, { headers: accessHeaders(context) });
  const text = await response.text();
  if (response.ok) return text;
  throw new ProblemError(response.status, { title: `HTTP ${response.status}`, ...(parseJson(text) ?? {}) });
}

/** What proves to the appliance who calls; empty without a key. */
export function accessHeaders(context: CommandContext): Record<string, string> {
  const key = keyOf(context);
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

async function send(url: string, path: string, options: RequestInit): Promise<Response> {
  try {
    return await fetch(url + path, { ...options, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  } catch (cause) {
    throw unreachable(url, cause);
  }
}

/** The address that commands call, without a path. */
export function applianceUrl(context: CommandContext): string {
  const named = optionText(context, "url") ?? context.environment["ENGRAM_URL"];
  if (named !== undefined && named !== "") {
    if (!URL.canParse(named)) {
      throw new OperatorError({
        code: "usage",
        message: `Cannot call ${JSON.stringify(named)}: that is no address`,
        remedy: "Give one such as http://127.0.0.1:7432",
      });
    }
    return named.replace(/\/+$/, "");
  }
  const { host, port } = loadSettingsOf(context).settings.server;
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

function keyOf(context: CommandContext): string | undefined {
  const file = optionText(context, "keyFile") ?? context.environment["ENGRAM_KEY_FILE"];
  if (file === undefined || file === "") return undefined;
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new OperatorError({
      code: "key-file-unreadable",
      message: `Cannot read the key file ${file}: ${(cause as NodeJS.ErrnoException).code ?? cause}`,
      remedy: "Name a file that holds a key made by `engram-appliance key create`",
      cause,
    });
  }
}

function unreachable(url: string, cause: unknown): OperatorError {
  const reason =
    cause instanceof Error ? ((cause as { code?: string }).code ?? cause.message) : String(cause);
  return new OperatorError({
    code: "appliance-unreachable",
    message: `Cannot reach the appliance at ${url}: ${reason}`,
    remedy: "Start it with `engram-appliance serve`, or name the right address with --url",
    cause,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // An answer of something else than the appliance, such as a proxy's page.
  }
}
