/** What `top` knows at one moment, read from a running appliance over its API. */
import { QUERIES, QUERY_NAMES, type QueryName } from "./queries.ts";

export type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

export type AlertFact = {
  readonly name: string;
  readonly severity: string;
  readonly state: "pending" | "firing";
  readonly summary: string;
  readonly sinceMs: number;
  readonly isSilenced: boolean;
};

export type TopFacts = {
  readonly atMs: number;
  readonly url: string;
  readonly version: string;
  readonly status: string;
  readonly uptimeSeconds: number;
  /** parts that are degraded or failed */
  readonly unwell: readonly { readonly name: string; readonly status: string; readonly reason: string }[];
  readonly samples: Readonly<Record<QueryName, readonly Sample[]>>;
  readonly alerts: readonly AlertFact[];
  readonly rules: { readonly all: number; readonly unavailable: number };
  /** the appliance has not answered since */
  readonly lost?: { readonly sinceMs: number; readonly reason: string } | undefined;
};

type HealthReply = {
  readonly status: string;
  readonly version: string;
  readonly uptime_seconds: number;
  readonly parts: Readonly<Record<string, { readonly status: string; readonly reason?: string }>>;
};
type QueryReply = {
  readonly data: {
    readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[];
  };
};
type AlertsReply = {
  readonly data: {
    readonly alerts: readonly {
      readonly labels: Readonly<Record<string, string>>;
      readonly annotations: Readonly<Record<string, string>>;
      readonly state: "pending" | "firing";
      readonly activeAt: string;
      readonly silenced_by: readonly string[];
    }[];
    readonly rules: readonly { readonly state: string }[];
  };
};

/** @param read one call of the API, the body parsed; what it throws goes on to the caller */
export async function readFacts(
  read: (path: string) => Promise<unknown>,
  { url, nowMs }: { readonly url: string; readonly nowMs: () => number },
): Promise<TopFacts> {
  const [health, alerts, ...results] = await Promise.all([
    read("/api/v1/system/health") as Promise<HealthReply>,
    read("/api/v1/alerts") as Promise<AlertsReply>,
    ...QUERY_NAMES.map((name) => samplesOf(read, QUERIES[name])),
  ]);
  return {
    atMs: nowMs(),
    url,
    version: health.version,
    status: health.status,
    uptimeSeconds: health.uptime_seconds,
    unwell: Object.entries(health.parts)
      .filter(([, { status }]) => status === "degraded" || status === "failed")
      .map(([name, { status, reason }]) => ({ name, status, reason: reason ?? "" })),
    samples: byQuery((_, i) => results[i]!),
    alerts: alerts.data.alerts.map(({ labels, annotations, state, activeAt, silenced_by }) => ({
      name: labels["alertname"] ?? "",
      severity: labels["severity"] ?? "",
      state,
      summary: annotations["summary"] ?? "",
      sinceMs: Date.parse(activeAt),
      isSilenced: silenced_by.length > 0,
    })),
    rules: {
      all: alerts.data.rules.length,
      unavailable: alerts.data.rules.filter(({ state }) => state === "unavailable").length,
    },
  };
}

/** What `make` answers for each query, by its name. */
export function byQuery<T>(make: (name: QueryName, index: number) => T): Record<QueryName, T> {
  // The type knows no object that is made entry by entry.
  return Object.fromEntries(QUERY_NAMES.map((name, i) => [name, make(name, i)])) as Record<
    string,
    T
  > as Record<QueryName, T>;
}

/** The facts as `--json` prints them: names as the API writes them; a value that is not there is null. */
export function factsJson({ atMs, uptimeSeconds, samples, alerts, lost: _, ...rest }: TopFacts): unknown {
  return {
    at: new Date(atMs).toISOString(),
    ...rest,
    uptime_seconds: uptimeSeconds,
    alerts: alerts.map(({ sinceMs, isSilenced, ...alert }) => ({
      ...alert,
      since: new Date(sinceMs).toISOString(),
      is_silenced: isSilenced,
    })),
    values: Object.fromEntries(
      QUERY_NAMES.map((name) => [
        name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
        samples[name],
      ]),
    ),
  };
}

async function samplesOf(read: (path: string) => Promise<unknown>, expr: string): Promise<Sample[]> {
  const { data } = (await read(`/api/v1/query?query=${encodeURIComponent(expr)}`)) as QueryReply;
  return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}
