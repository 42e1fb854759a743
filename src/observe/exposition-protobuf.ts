/**
 * Families as delimited `io.prometheus.client.MetricFamily` messages, the only format that carries native
 * histograms. (https://github.com/prometheus/client_model, metrics.proto)
 *
 * Our buckets are powers of two, which is native schema 0, so all of them are sent without loss: bucket i of the
 * schema is (2^(i-1), 2^i]. Our bucket 0 also takes zero, so it is sent as the zero bucket, whose threshold is
 * its bound. The classic buckets stand beside, for servers that do not know native ones.
 */
import { HISTOGRAM_BUCKETS } from "../layout/metric-lane.ts";
import type { Declaration } from "./declaration.ts";
import { classicBuckets } from "./exposition-text.ts";
import { type Family, firstExponentOf, type HistogramSample, type LabelSet } from "./family.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

export const PROTOBUF_TYPE =
  "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

const TYPE = { counter: 0, gauge: 1, untyped: 3, histogram: 4 } as const;
const NATIVE_SCHEMA = 0;

export function protobufExposition(families: readonly Family[]): Uint8Array<ArrayBuffer> {
  const writer = new ProtobufWriter();
  for (const family of families) writer.delimited(() => writeFamily(writer, family));
  return writer.written.slice();
}

function writeFamily(writer: ProtobufWriter, { name, declaration, samples, histograms }: Family): void {
  const type = declaration.untyped === undefined ? declaration.kind : "untyped";
  writer.text(1, name);
  writer.text(2, declaration.help);
  writer.varint(3, TYPE[type]);
  for (const { labels, value } of samples) {
    writer.message(4, () => {
      writeLabels(writer, labels);
      const field = type === "gauge" ? 2 : type === "counter" ? 3 : 5;
      writer.message(field, () => writer.double(1, value));
    });
  }
  for (const sample of histograms) {
    writer.message(4, () => {
      writeLabels(writer, sample.labels);
      writer.message(7, () => writeHistogram(writer, declaration, sample));
    });
  }
}

function writeLabels(writer: ProtobufWriter, labels: LabelSet): void {
  for (const [name, value] of labels.pairs) {
    writer.message(1, () => {
      writer.text(1, name);
      writer.text(2, value);
    });
  }
}

function writeHistogram(writer: ProtobufWriter, declaration: Declaration, sample: HistogramSample): void {
  writer.varint(1, sample.count);
  writer.double(2, sample.sum);
  const { bounds, counts } = classicBuckets(declaration, sample);
  for (let i = 0; i < bounds.length; i++) {
    writer.message(3, () => {
      writer.varint(1, counts[i]!);
      writer.double(2, bounds[i]!);
    });
  }
  writer.zigzag(5, NATIVE_SCHEMA);
  writer.double(6, 2 ** firstExponentOf(declaration));
  writer.varint(7, sample.buckets[0]!);
  writeSpans(writer, sample.buckets, firstExponentOf(declaration));
}

/** Runs of buckets that hold something, and the differences of their counts. */
function writeSpans(writer: ProtobufWriter, buckets: Float64Array, firstExponent: number): void {
  const deltas: number[] = [];
  let countBefore = 0;
  let nextIndex = 0;
  let isFirst = true;
  for (let bucket = 1; bucket < HISTOGRAM_BUCKETS; bucket++) {
    if (buckets[bucket] === 0) continue;
    const start = bucket;
    while (bucket < HISTOGRAM_BUCKETS && buckets[bucket]! > 0) {
      deltas.push(buckets[bucket]! - countBefore);
      countBefore = buckets[bucket]!;
      bucket += 1;
    }
    const index = start + firstExponent;
    writer.message(12, () => {
      // The first span starts at its own index, the others count from the end of the one before.
      writer.zigzag(1, isFirst ? index : index - nextIndex);
      writer.varint(2, bucket - start);
    });
    isFirst = false;
    nextIndex = bucket + firstExponent;
  }
  // A native histogram without spans is told from a classic one by an empty span.
  if (isFirst) {
    writer.message(12, () => {
      writer.zigzag(1, 0);
      writer.varint(2, 0);
    });
  }
  for (const delta of deltas) writer.zigzag(13, delta);
}
