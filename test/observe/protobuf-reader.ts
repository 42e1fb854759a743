/** Reads delimited io.prometheus.client.MetricFamily messages, written apart from the writer to hold it to the format. */

export type ReadHistogram = {
  count: number;
  sum: number;
  schema: number;
  zeroThreshold: number;
  zeroCount: number;
  classic: { bound: number; count: number }[];
  native: { index: number; count: number }[];
};

export type ReadMetric = {
  labels: { name: string; value: string }[];
  value: number | undefined;
  histogram: ReadHistogram | undefined;
};

export type ReadFamily = { name: string; help: string; type: number; metrics: ReadMetric[] };

export type Field = { number: number; value: number; bytes: Uint8Array };

const decoder = new TextDecoder();

export function readFamilies(bytes: Uint8Array): ReadFamily[] {
  const families: ReadFamily[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [count, next] = varint(bytes, at);
    families.push(familyOf(bytes.subarray(next, next + count)));
    at = next + count;
  }
  return families;
}

function familyOf(bytes: Uint8Array): ReadFamily {
  const family: ReadFamily = { name: "", help: "", type: -1, metrics: [] };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) family.name = decoder.decode(field.bytes);
    else if (field.number === 2) family.help = decoder.decode(field.bytes);
    else if (field.number === 3) family.type = field.value;
    else if (field.number === 4) family.metrics.push(metricOf(field.bytes));
  }
  return family;
}

function metricOf(bytes: Uint8Array): ReadMetric {
  const metric: ReadMetric = { labels: [], value: undefined, histogram: undefined };
  for (const { number, bytes: inner } of fieldsOf(bytes)) {
    const fields = fieldsOf(inner);
    if (number === 1) {
      const text = (which: number) => decoder.decode(fields.find((field) => field.number === which)!.bytes);
      metric.labels.push({ name: text(1), value: text(2) });
    } else if (number === 7) metric.histogram = histogramOf(fields);
    else metric.value = fields.find((field) => field.number === 1)!.value;
  }
  return metric;
}

function histogramOf(fields: Field[]): ReadHistogram {
  const one = (number: number) => fields.find((field) => field.number === number)!.value;
  const all = (number: number) => fields.filter((field) => field.number === number);
  const native: ReadHistogram["native"] = [];
  const deltas = all(13).map(({ value }) => unzigzag(value));
  let index = 0;
  let count = 0;
  for (const { bytes } of all(12)) {
    const span = fieldsOf(bytes);
    index += unzigzag(span[0]!.value);
    for (let i = 0; i < span[1]!.value; i++) {
      count += deltas.shift()!;
      native.push({ index, count });
      index += 1;
    }
  }
  if (deltas.length > 0) throw new Error("more deltas than the spans have buckets");
  return {
    count: one(1),
    sum: one(2),
    schema: unzigzag(one(5)),
    zeroThreshold: one(6),
    zeroCount: one(7),
    classic: all(3).map(({ bytes }) => {
      const bucket = fieldsOf(bytes);
      return { count: bucket[0]!.value, bound: bucket[1]!.value };
    }),
    native,
  };
}

export function fieldsOf(bytes: Uint8Array): Field[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [tag, afterTag] = varint(bytes, at);
    const number = Math.floor(tag / 8);
    if (tag % 8 === 0) {
      const [value, next] = varint(bytes, afterTag);
      fields.push({ number, value, bytes: new Uint8Array() });
      at = next;
    } else if (tag % 8 === 1) {
      fields.push({ number, value: view.getFloat64(afterTag, true), bytes: new Uint8Array() });
      at = afterTag + 8;
    } else if (tag % 8 === 2) {
      const [count, next] = varint(bytes, afterTag);
      fields.push({ number, value: 0, bytes: bytes.subarray(next, next + count) });
      at = next + count;
    } else if (tag % 8 === 5) {
      fields.push({ number, value: view.getUint32(afterTag, true), bytes: new Uint8Array() });
      at = afterTag + 4;
    } else throw new Error(`wire type ${tag % 8} at ${at}`);
  }
  return fields;
}

function varint(bytes: Uint8Array, from: number): [value: number, next: number] {
  let value = 0;
  let scale = 1;
  for (let at = from; ; at++) {
    const byte = bytes[at];
    if (byte === undefined) throw new Error("a number ends beyond the message");
    value += (byte & 127) * scale;
    if (byte < 128) return [value, at + 1];
    scale *= 128;
  }
}

export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
