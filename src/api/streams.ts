/**
 * `/api/v1/stream/memories`, `/logs`, `/alerts` and `/metrics`: what happens, as it happens (`event-stream.ts`).
 *
 * Memories are told to keys that open their space, and to nobody else. The log may name paths and hosts, so it needs
 * the right to administer.
 */
import { Elysia } from "elysia";
import { RequestError } from "../base/errors.ts";
import { nearestName } from "../config/nearest-name.ts";
import type { EventKind } from "../layout/event.ts";
import { METRIC_NAMES } from "../observe/catalogue.ts";
import { isEventId, type Missing, type SeenEvent } from "../observe/event-feed.ts";
import { MetricFeed } from "../observe/metric-feed.ts";
import { ALL_SPACES } from "../storage/key-store.ts";
import { opens } from "./access.ts";
import type { ApiContext } from "./api-context.ts";
import type { EventStream, Warning } from "./event-stream.ts";
import { queryFields } from "./query-fields.ts";
import { type Call, checkSpaceName, guarded, queryOf } from "./route.ts";
import {
  checkedAlertsStream,
  checkedLogsStream,
  checkedMemoriesStream,
  checkedMetricsStream,
  LOG_LEVELS,
  MEMORY_KINDS,
  STREAM_QUERY_FORMS,
} from "./streams.contract.ts";
import {
  alertsStreamDetail,
  logsStreamDetail,
  memoriesStreamDetail,
  metricsStreamDetail,
} from "./streams.docs.ts";
import { timeText } from "./time-text.ts";

const READ = { right: "read", spaced: false } as const;
const ADMIN = { right: "admin", spaced: false } as const;
const PREFIX = "/api/v1/stream";
const INTERVAL_SECONDS_DEFAULT = 1;

export function streamRoutes(api: ApiContext) {
  const { events, snapshot, clock, meter } = api.watch;

  const streamEvents = (
    claim: Parameters<typeof api.streams.open>[0],
    kinds: readonly EventKind[],
    lastId: string | undefined,
    isWanted: (event: SeenEvent) => boolean,
  ): Response =>
    api.streams.open(claim, (stream) =>
      events.listen({
        kinds,
        lastId,
        take: (event) => {
          if (isWanted(event)) stream.send(event.kind, event.id, eventData(event));
        },
        miss: (missing) => {
          if (missing.why === "overwritten") meter.streamed("lost", missing.count);
          stream.warn(missingWarning(missing));
        },
      }),
    );

  const memories = ({ request, caller }: Call): Response => {
    const asked = checkedMemoriesStream.check(streamFields(request), "The query");
    const named = request.headers.get("x-memory-space");
    const space = named === null ? asked.space : checkSpaceName(named, "X-Memory-Space");
    if (space !== undefined)
      api.access.requireSpace(caller, space, named === null ? "space" : "X-Memory-Space");
    const kinds = asked.kinds ?? MEMORY_KINDS;
    const lastId = lastEventId(request, asked.last_event_id, isEventId);
    const claim = { request, right: "read", space } as const;
    // Most who watch watch everything: their events need not be parsed.
    if (space === undefined && caller.spaces.includes(ALL_SPACES)) {
      return streamEvents(claim, kinds, lastId, () => true);
    }
    return streamEvents(claim, kinds, lastId, ({ fields }) => {
      const its = fields["space"] as string;
      return space === undefined ? opens(caller.spaces, its) : its === space;
    });
  };

  const logs = ({ request }: Call): Response => {
    const asked = checkedLogsStream.check(streamFields(request), "The query");
    const least = LOG_LEVELS.indexOf(asked.level ?? "info");
    const lastId = lastEventId(request, asked.last_event_id, isEventId);
    return streamEvents({ request, right: "admin", space: undefined }, ["log"], lastId, ({ fields }) => {
      return LOG_LEVELS.indexOf(fields["level"] as (typeof LOG_LEVELS)[number]) <= least;
    });
  };

  const alerts = ({ request }: Call): Response => {
    const { severity, last_event_id } = checkedAlertsStream.check(streamFields(request), "The query");
    const lastId = lastEventId(request, last_event_id, isEventId);
    return streamEvents(
      { request, right: "read", space: undefined },
      ["alert"],
      lastId,
      ({ fields }) => severity === undefined || severity.includes(fields["severity"] as string),
    );
  };

  const metrics = ({ request }: Call): Response => {
    const asked = checkedMetricsStream.check(streamFields(request), "The query");
    const feed = new MetricFeed(wantedNames(asked.names));
    const intervalMs = (asked.interval ?? INTERVAL_SECONDS_DEFAULT) * 1000;
    const lastId = lastEventId(request, asked.last_event_id, (text) => /^\d{1,15}$/.test(text));
    return api.streams.open({ request, right: "read", space: undefined }, (stream) => {
      if (lastId !== undefined) warnOfFrames(stream, clock.wallMs() - Number(lastId), intervalMs);
      const send = (): void => {
        const nowMs = clock.wallMs();
        const list = feed.frame(snapshot(), clock.nowNs() / 1e6);
        stream.send("metrics", String(Math.round(nowMs)), `{"time":"${timeText(nowMs)}","metrics":${list}}`);
      };
      send();
      const timer = setInterval(send, intervalMs);
      return () => clearInterval(timer);
    });
  };

  return new Elysia({ name: "streams" })
    .get(`${PREFIX}/memories`, guarded(api, READ, memories), { detail: memoriesStreamDetail() })
    .get(`${PREFIX}/logs`, guarded(api, ADMIN, logs), { detail: logsStreamDetail() })
    .get(`${PREFIX}/alerts`, guarded(api, READ, alerts), { detail: alertsStreamDetail() })
    .get(`${PREFIX}/metrics`, guarded(api, READ, metrics), { detail: metricsStreamDetail() });
}

/** The fields of the query; lists may have commas between their members. */
function streamFields(request: Request): Record<string, unknown> {
  const fields = queryFields(queryOf(request.url), STREAM_QUERY_FORMS);
  for (const [name, value] of Object.entries(fields)) {
    if (Array.isArray(value)) fields[name] = value.flatMap((text: string) => text.split(","));
  }
  return fields;
}

/** What the event says, its time first. */
function eventData({ timeMs, text }: SeenEvent): string {
  const rest = text === "{}" ? "}" : `,${text.slice(1)}`;
  return `{"time":"${timeText(timeMs)}"${rest}`;
}

/** @throws {RequestError} `request-invalid` when it is no id of an event of this stream */
function lastEventId(
  request: Request,
  asked: string | undefined,
  isId: (text: string) => boolean,
): string | undefined {
  const sent = request.headers.get("last-event-id");
  const id = sent === null || sent === "" ? asked : sent;
  if (id === undefined || isId(id)) return id;
  throw new RequestError({
    code: "request-invalid",
    message: "The stream can not go on behind an event that it did not send",
    at: id === sent ? "Last-Event-ID" : "last_event_id",
    expected: "the id of an event of this stream",
    received: JSON.stringify(id.slice(0, 64)),
  });
}

function missingWarning(missing: Missing): Warning {
  switch (missing.why) {
    case "overwritten":
      return {
        code: "events-overwritten",
        message: `Up to ${missing.count} events were overwritten before they could be sent`,
        lost: missing.count,
      };
    case "restarted":
      return {
        code: "appliance-restarted",
        message: "The appliance was started anew since that event; what came between is not known",
      };
    case "not-kept":
      return {
        code: "events-not-kept",
        message:
          "For a while since that event nobody listened, so that events were not kept; how many is not known",
      };
  }
}

function warnOfFrames(stream: EventStream, awayMs: number, intervalMs: number): void {
  const lost = Math.floor(awayMs / intervalMs) - 1;
  if (lost <= 0) return;
  stream.warn({
    code: "frames-not-replayed",
    message: "Metrics of the past are not sent again: ask the history at /api/v1/query_range",
    lost,
  });
}

/** @throws {RequestError} `request-invalid` for a name or pattern that no metric has */
function wantedNames(patterns: readonly string[] | undefined): (name: string) => boolean {
  if (patterns === undefined) return () => true;
  const wanted = new Set<string>();
  for (const pattern of patterns) {
    const form = new RegExp(`^${pattern.replaceAll("*", ".*")}$`);
    const found = METRIC_NAMES.filter((name) => form.test(name));
    if (found.length === 0) {
      const nearest = nearestName(pattern, METRIC_NAMES);
      throw new RequestError({
        code: "request-invalid",
        message: `There is no metric "${pattern}"`,
        at: "names",
        expected: nearest === undefined ? "the name of a metric, as /metrics shows them" : `"${nearest}"`,
        received: JSON.stringify(pattern),
      });
    }
    for (const name of found) wanted.add(name);
  }
  return (name) => wanted.has(name);
}
