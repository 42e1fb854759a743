/**
 * An OpenTelemetry receiver for tests: takes OTLP over HTTP and decodes it, by the field numbers of
 * opentelemetry-proto, apart from the packages that wrote it.
 */
import { type Field, fieldsOf, unzigzag } from "../protobuf-reader.ts";

export type ReadPoint = {
  attributes: Record<string, unknown>;
  startNano: bigint;
  atNano: bigint;
  value: number;
  histogram?: {
    count: number;
    sum: number;
    scale: number;
    zeroCount: number;
    offset: number;
    buckets: number[];
  };
};
export type ReadMetric = {
  name: string;
  unit: string;
  description: string;
  kind: "gauge" | "sum" | "exponential";
  isMonotonic: boolean;
  temporality: number;
  points: ReadPoint[];
};
export type ReadSpan = {
  traceId: string;
  spanId: string;
  parentId: string;
  state: string;
  name: string;
  kind: number;
  startNano: bigint;
  endNano: bigint;
  attributes: Record<string, unknown>;
  statusCode: number;
};

const decoder = new TextDecoder();

export class OtlpReceiver {
  /** of the newest sending */
  metrics: ReadMetric[] = [];
  resource: Record<string, unknown> = {};
  readonly spans: ReadSpan[] = [];
  readonly headers: Headers[] = [];
  metricSendings = 0;
  #server: ReturnType<typeof Bun.serve>;
  readonly port: number;

  constructor(port = 0) {
    this.#server = this.#serve(port);
    this.port = this.#server.port!;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  metric(name: string): ReadMetric | undefined {
    return this.metrics.find((metric) => metric.name === name);
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }

  /** Listens on its port again. */
  start(): void {
    this.#server = this.#serve(this.port);
  }

  #serve(port: number): ReturnType<typeof Bun.serve> {
    return Bun.serve({
      port,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        const body = new Uint8Array(await request.arrayBuffer());
        this.headers.push(request.headers);
        const { pathname } = new URL(request.url);
        if (request.headers.get("content-type") !== "application/x-protobuf") {
          return new Response("protobuf is wanted", { status: 415 });
        }
        if (pathname === "/v1/metrics") this.#takeMetrics(body);
        else if (pathname === "/v1/traces") this.#takeSpans(body);
        else return new Response("not here", { status: 404 });
        return new Response(new Uint8Array(), { headers: { "content-type": "application/x-protobuf" } });
      },
    });
  }

  #takeMetrics(body: Uint8Array): void {
    this.metricSendings += 1;
    this.metrics = [];
    for (const resourceMetrics of all(fieldsOf(body), 1)) {
      this.resource = resourceOf(resourceMetrics);
      for (const scoped of all(resourceMetrics, 2)) this.metrics.push(...all(scoped, 2).map(metricOf));
    }
  }

  #takeSpans(body: Uint8Array): void {
    for (const resourceSpans of all(fieldsOf(body), 1)) {
      for (const scoped of all(resourceSpans, 2)) this.spans.push(...all(scoped, 2).map(spanOf));
    }
  }
}

function metricOf(fields: Field[]): ReadMetric {
  const metric = { name: text(fields, 1), description: text(fields, 2), unit: text(fields, 3) };
  const [gauge] = all(fields, 5);
  if (gauge !== undefined) {
    const points = all(gauge, 1).map(numberPoint);
    return { ...metric, kind: "gauge", isMonotonic: false, temporality: 0, points };
  }
  const [sum] = all(fields, 7);
  if (sum !== undefined) {
    const isMonotonic = number(sum, 3) === 1;
    return {
      ...metric,
      kind: "sum",
      isMonotonic,
      temporality: number(sum, 2),
      points: all(sum, 1).map(numberPoint),
    };
  }
  const [exponential] = all(fields, 10);
  if (exponential === undefined) throw new Error(`${metric.name} is of a kind that is not known here`);
  const points = all(exponential, 1).map(histogramPoint);
  return { ...metric, kind: "exponential", isMonotonic: false, temporality: number(exponential, 2), points };
}

function numberPoint(fields: Field[]): ReadPoint {
  const value = fields.find((field) => field.number === 4)!.value;
  return {
    attributes: attributesOf(fields, 7),
    startNano: fixed(fields, 2),
    atNano: fixed(fields, 3),
    value,
  };
}

function histogramPoint(fields: Field[]): ReadPoint {
  const [positive = []] = all(fields, 8);
  const packed = positive.find((field) => field.number === 2)?.bytes ?? new Uint8Array();
  return {
    attributes: attributesOf(fields, 1),
    startNano: fixed(fields, 2),
    atNano: fixed(fields, 3),
    value: Number.NaN,
    histogram: {
      count: Number(fixed(fields, 4)),
      sum: fields.find((field) => field.number === 5)!.value,
      scale: unzigzag(number(fields, 6)),
      zeroCount: Number(fixed(fields, 7)),
      offset: unzigzag(number(positive, 1)),
      buckets: varints(packed),
    },
  };
}

function spanOf(fields: Field[]): ReadSpan {
  const hex = (which: number) =>
    Buffer.from(fields.find((field) => field.number === which)?.bytes ?? []).toString("hex");
  const [status = []] = all(fields, 15);
  return {
    traceId: hex(1),
    spanId: hex(2),
    state: text(fields, 3),
    parentId: hex(4),
    name: text(fields, 5),
    kind: number(fields, 6),
    startNano: fixed(fields, 7),
    endNano: fixed(fields, 8),
    attributes: attributesOf(fields, 9),
    statusCode: number(status, 3),
  };
}

function resourceOf(resourceFields: Field[]): Record<string, unknown> {
  const [resource = []] = all(resourceFields, 1);
  return attributesOf(resource, 1);
}

function attributesOf(fields: Field[], which: number): Record<string, unknown> {
  return Object.fromEntries(
    all(fields, which).map((pair) => {
      const [value = []] = all(pair, 2);
      const [any] = value;
      // string 1, bool 2, int 3, double 4
      const read = any === undefined ? undefined : any.number === 1 ? decoder.decode(any.bytes) : any.value;
      return [text(pair, 1), read];
    }),
  );
}

function all(fields: Field[], which: number): Field[][] {
  return fields.filter((field) => field.number === which).map(({ bytes }) => fieldsOf(bytes));
}

function text(fields: Field[], which: number): string {
  return decoder.decode(fields.find((field) => field.number === which)?.bytes);
}

function number(fields: Field[], which: number): number {
  return fields.find((field) => field.number === which)?.value ?? 0;
}

/** A fixed64, which the reader takes for a double. */
function fixed(fields: Field[], which: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, number(fields, which));
  return view.getBigUint64(0);
}

function varints(bytes: Uint8Array): number[] {
  const values: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) break;
      scale *= 128;
    }
    values.push(value);
  }
  return values;
}
