/** An API on a port of its own over the naive engine, for one test file: real HTTP, real key file, stepped clock. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Access } from "../../src/api/access.ts";
import type { ProfileTaker, Watch } from "../../src/api/api-context.ts";
import { createApi } from "../../src/api/create-api.ts";
import { KeyRing } from "../../src/api/key-ring.ts";
import type { RequestLogFields } from "../../src/api/request-watch.ts";
import { type ApiServer, apiSettings, serveApi } from "../../src/api/serve.ts";
import type { ApiSettings } from "../../src/api/settings.ts";
import type { OperatorError } from "../../src/base/errors.ts";
import { makeChanges } from "../../src/config/live-settings.ts";
import { settingsSchema } from "../../src/config/schema.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { ProfileSlice } from "../../src/observe/profile-slice.ts";
import { NaiveConcepts } from "../engine/consolidation/naive-concepts.ts";
import { NaiveEngine } from "../engine/naive-engine.ts";
import { naiveThinker } from "../engine/naive-thinker.ts";
import { localAlerts, localWatch } from "../observe/local-watch.ts";

export const DIMENSIONS = 8;

export type ApiUnderTestOptions = {
  readonly engine?: Engine;
  readonly profile?: ProfileTaker;
  readonly settings?: (standard: ApiSettings) => ApiSettings;
  readonly loopbackOnly?: boolean;
  readonly watch?: Watch;
  readonly onOperatorError?: (error: OperatorError, fields: RequestLogFields | undefined) => void;
};

export class ApiUnderTest {
  readonly url: string;
  readonly dataDir = mkdtempSync(join(tmpdir(), "engram-api-"));
  readonly engine: Engine;
  readonly server: ApiServer;
  readonly calls: readonly string[];
  /** errors that were not the caller's */
  readonly operatorErrors: OperatorError[] = [];
  readonly bugs: unknown[] = [];
  /** how long failed logins were held back, in ms */
  readonly sleeps: number[] = [];
  readonly runningSettings = settingsSchema.parse({});
  /** ahead of the system's clock */
  aheadMs = 0;

  constructor(options: ApiUnderTestOptions = {}) {
    const standard = apiSettings(settingsSchema.parse({ server: { port: 0 } }), 1);
    const settings = options.settings?.(standard) ?? standard;
    const clock = {
      nowNs: () => Bun.nanoseconds() + this.aheadMs * 1e6,
      wallMs: () => Date.now() + this.aheadMs,
    };
    const errors = {
      operator: (error: OperatorError, _where: string, fields?: RequestLogFields) => {
        this.operatorErrors.push(error);
        options.onOperatorError?.(error, fields);
      },
      bug: (error: unknown) => this.bugs.push(error),
    };
    this.engine = options.engine ?? new NaiveEngine({ dimensions: DIMENSIONS });
    const access = new Access({
      ring: new KeyRing(this.dataDir, clock, errors),
      settings: settings.access,
      clock,
      sleep: async (ms) => void this.sleeps.push(ms),
      loopbackOnly: options.loopbackOnly ?? true,
    });
    const api = createApi({
      engine: this.engine,
      concepts: new NaiveConcepts(),
      thought: naiveThinker(this.engine),
      limits: settings.limits,
      access,
      errors,
      version: "0.0.0-test",
      watch: options.watch ?? { ...localWatch(), alerts: localAlerts(this.dataDir) },
      profile: options.profile ?? { take: sleepingSlice },
      settings: {
        running: () => this.runningSettings,
        change: async (changes) => makeChanges(this.runningSettings, changes),
      },
    });
    this.calls = api.calls;
    this.server = serveApi({ api, settings, reusePort: false });
    this.url = `http://127.0.0.1:${this.server.port}`;
  }

  /** Lets a change of the key file be seen: it is looked at once a second. */
  passASecond(): void {
    this.aheadMs += 1001;
  }

  async call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply> {
    const response = await fetch(this.url + path, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return replyOf(response);
  }

  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply> {
    return this.call("POST", path, body, headers);
  }

  get(path: string, headers?: Record<string, string>): Promise<Reply> {
    return this.call("GET", path, undefined, headers);
  }

  remember(body: unknown, headers?: Record<string, string>): Promise<Reply> {
    return this.post("/api/v1/memories/remember", body, headers);
  }

  async close(): Promise<void> {
    await this.server.stop(0);
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into replies of every shape
export type Json = any;

export type Reply = {
  readonly status: number;
  readonly type: string;
  readonly headers: Headers;
  /** parsed where it is JSON, else undefined */
  readonly json: Json;
  readonly text: string;
};

export async function replyOf(response: Response): Promise<Reply> {
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  const json = /json/.test(type) && text !== "" ? JSON.parse(text) : undefined;
  return { status: response.status, type, headers: response.headers, json, text };
}

/** Unit-ish vectors of DIMENSIONS numbers that point mostly along one axis. */
export function axis(index: number, lean = 0.1): number[] {
  return Array.from({ length: DIMENSIONS }, (_, i) => (i === index ? 1 : lean / (i + 2)));
}

export function base64Of(numbers: readonly number[]): string {
  return Buffer.from(new Float32Array(numbers).buffer).toString("base64");
}

/** What a profile of threads of which none has anything to say answers. */
async function sleepingSlice(seconds: number): Promise<ProfileSlice> {
  const started_at_ms = Date.now();
  await Bun.sleep(seconds * 1000);
  return {
    started_at_ms,
    ended_at_ms: Date.now(),
    script_interval_ms: 5,
    threads: [],
    native: null,
    spaces: [],
    missing: [],
  };
}
