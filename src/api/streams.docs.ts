/** How the event streams are described. */
import type { z } from "zod";
import type { Right } from "../storage/key-store.ts";
import { describeOperation } from "./openapi.ts";
import {
  alertsStreamQuery,
  logsStreamQuery,
  memoriesStreamQuery,
  metricsStreamQuery,
  streamReply,
} from "./streams.contract.ts";

const HOW = `An event stream (\`text/event-stream\`), as \`EventSource\` and \`curl -N\` read it. Every event has an \`id\`; a client that comes back with the last one as \`Last-Event-ID\` is given what it missed, as far as it is still there. An event \`warning\` says what is missing: \`client-slow\` (read too slowly), \`events-overwritten\`, \`appliance-restarted\`, \`events-not-kept\` (nobody listened meanwhile), \`frames-not-replayed\` (metrics), \`access-ended\`, with \`lost\` where the number is known.`;

type Described = {
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  readonly right: Right;
  readonly query: z.ZodObject;
  readonly example: string;
};

function detail({ id, summary, description, right, query, example }: Described) {
  return describeOperation({
    id,
    tag: "Streams",
    summary,
    description: `${description}\n\n${HOW}`,
    right,
    spaced: false,
    query,
    replies: {
      200: {
        description: "Events, until the client leaves or the appliance stops",
        schema: streamReply,
        example,
        mediaTypes: ["text/event-stream"],
      },
    },
    errors: ["streams-full", ...(id === "streamMemories" ? (["space-forbidden"] as const) : [])],
  });
}

export function memoriesStreamDetail() {
  return detail({
    id: "streamMemories",
    summary: "Memories as they are formed, recalled, consolidated and forgotten",
    description:
      "The kind of an event is its name. Events name memories by space and id; their content is read with the key that may read it.",
    right: "read",
    query: memoriesStreamQuery,
    example:
      'event: formed\nid: mgx2k1a0-mgx2k9zz-1a.0.0.3\ndata: {"time":"2026-01-31T12:00:00.250Z","space":"default","id":"0198","outcome":"stored"}\n\n',
  });
}

export function logsStreamDetail() {
  return detail({
    id: "streamLogs",
    summary: "The appliance's log, line by line",
    description: "Lines of every level come, whatever `logging.level` writes down.",
    right: "admin",
    query: logsStreamQuery,
    example:
      'event: log\nid: mgx2k1a0-mgx2k9zz-0.0.0.9\ndata: {"time":"2026-01-31T12:00:00.250Z","level":"info","message":"checkpoint of stream 0"}\n\n',
  });
}

export function alertsStreamDetail() {
  return detail({
    id: "streamAlerts",
    summary: "Alerts as they change their state",
    description: "What the alert says, with what it means.",
    right: "read",
    query: alertsStreamQuery,
    example:
      'event: alert\nid: mgx2k1a0-mgx2k9zz-0.0.4.0\ndata: {"time":"2026-01-31T12:00:00.250Z","name":"FlushSlow","state":"firing","severity":"warning"}\n\n',
  });
}

export function metricsStreamDetail() {
  return detail({
    id: "streamMetrics",
    summary: "Metrics, once an interval",
    description:
      "Counters with their total and their rate a second, gauges with their value, histograms with count and sum and, of the interval, rate, mean and quantiles (`p50`, `p90`, `p99`). Rates begin with the second event.",
    right: "read",
    query: metricsStreamQuery,
    example:
      'event: metrics\nid: 1760000000250\ndata: {"time":"2026-01-31T12:00:00.250Z","metrics":[{"name":"engram_recall_operations_total","kind":"counter","unit":"count","series":[{"labels":{"space_class":"small","outcome":"ok"},"value":42,"rate":3}]}]}\n\n',
  });
}
