/** Settings of how the appliance watches itself: `monitoring` and `alerts`. */
import { z } from "zod";
import { decimal, text, toggle, whole } from "../setting.ts";

export const monitoringSection = z.strictObject({
  enabled: toggle({
    default: true,
    about: "Whether the appliance records metrics and slow operations, and keeps their history",
    on: "Every thread counts and times what it does; watching costs less than 0.3 % of a core",
    off: "Nothing is recorded: /metrics shows what is held and no more, and the history stands still. To measure what watching costs",
    live: true,
    reader: "src/appliance/watch.ts",
  }),
  slow_query_threshold_ms: whole({
    default: 100,
    min: 0,
    max: 600_000,
    unit: "milliseconds",
    about:
      "An operation that takes this long or longer is kept with its stages, counts and plan, for `engram-appliance slow-queries`; 0 keeps every one, up to a hundred a second",
    tooLow: "The room for slow operations fills with ordinary ones within minutes",
    tooHigh: "What callers feel as slow leaves no trace",
    live: true,
    reader: "src/appliance/slow-watch.ts",
  }),
  canary_interval_s: whole({
    default: 60,
    min: 0,
    max: 86_400,
    unit: "seconds",
    about:
      "How often the canary asks a space for what it never met and for what it knows, for engram_false_memory_rate and engram_completion_plausibility; 0 never asks",
    tooLow: "An API worker spends tens of milliseconds of each interval on it",
    tooHigh: "A mind that begins to confuse is noticed late",
    reader: "src/appliance/api-thread.ts",
  }),
  slow_query_store_mb: whole({
    default: 8,
    min: 1,
    max: 256,
    unit: "MiB",
    about: "Room for slow operations in the data directory, shared by the API workers; the oldest make way",
    tooLow: "A bad hour pushes out what was slow the day before",
    tooHigh: "Asking for slow operations reads more, and holds up an API worker meanwhile",
    reader: "src/appliance/slow-watch.ts",
  }),
  slow_query_content: toggle({
    default: false,
    about: "Whether the text of a slow recall is kept with it",
    on: "Whoever may read the space, or the data directory, sees what was asked for",
    off: "A slow recall is kept by its shape: mode, limits, number of tags, never words",
    live: true,
    reader: "src/appliance/slow-watch.ts",
  }),
  stream_clients: whole({
    default: 64,
    min: 0,
    max: 10_000,
    unit: "clients",
    about: "Event streams (/api/v1/stream/...) open at once, over all API workers; 0 allows none",
    tooLow: "Pages and tools that watch are answered 503",
    tooHigh: "Each takes a connection, and up to some megabytes while it reads too slowly",
    reader: "src/api/serve.ts",
  }),
  prometheus_port: whole({
    default: 0,
    min: 0,
    max: 65_535,
    unit: "TCP port",
    about:
      "A second port, on server.host, that answers /metrics and Prometheus's query API and nothing else; 0 opens none. 9090 is where tools look for a Prometheus server",
    tooLow: "Below 1024 the appliance needs CAP_NET_BIND_SERVICE, which its unit does not grant",
    tooHigh: "From 32768 on a client connection of the machine may hold the port already",
    reader: "src/appliance/api-thread.ts",
  }),
});

export const alertsSection = z.strictObject({
  enabled: toggle({
    default: true,
    about: "Whether alert rules are evaluated inside",
    on: "Rules are evaluated over the history; alerts go to the log, the stream and webhooks",
    off: "None are; a Prometheus server with docs/alerts/engram.rules.yml may do it instead",
    reader: "src/appliance/alerts.ts",
  }),
  interval_s: whole({
    default: 5,
    min: 1,
    max: 300,
    unit: "seconds",
    about: "How often rules are evaluated; those that compare with the day before, once a minute at most",
    tooLow: "Evaluating costs more than it tells: metrics are recorded once a second",
    tooHigh: "Alerts come late by as much",
    reader: "src/appliance/alerts.ts",
  }),
  patience: decimal({
    default: 1,
    min: 0,
    max: 10,
    unit: "times",
    about:
      "Factor on how long a value must be beyond its threshold before an alert fires, and back before it ends",
    tooLow: "What passes by itself rings; with 0 one evaluation is enough",
    tooHigh: "What lasts is told of late",
    reader: "src/appliance/alerts.ts",
  }),
  webhook_urls: text({
    default: "",
    about: "Addresses that alerts are posted to in the format of Alertmanager's webhooks; none where empty",
    form: "http or https URLs, separated by spaces",
    reader: "src/appliance/alerts.ts",
    pattern: /^\s*(https?:\/\/\S+(\s+https?:\/\/\S+)*)?\s*$/,
    patternText: "http or https URLs, separated by spaces",
  }),
  webhook_header_file: text({
    default: "",
    about:
      "A file whose first line is a header sent with every notification, as `Authorization: Bearer …`; none where empty",
    form: "a path",
    reader: "src/appliance/alerts.ts",
  }),
  group_wait_s: whole({
    default: 10,
    min: 0,
    max: 600,
    unit: "seconds",
    about: "How long the alerts of one rule are gathered before they are posted as one message",
    tooLow: "Receivers get a message for each of several alerts that begin together",
    tooHigh: "Receivers hear late",
    reader: "src/appliance/alerts.ts",
  }),
  resend_interval_s: whole({
    default: 14_400,
    min: 60,
    max: 604_800,
    unit: "seconds",
    about: "How often a webhook is told again of what still fires",
    tooLow: "People stop reading",
    tooHigh: "A message that a receiver lost is not made good for as long",
    reader: "src/appliance/alerts.ts",
  }),
});
