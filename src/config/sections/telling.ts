/** Settings of what is told to other programs: `otlp`. */
import { z } from "zod";
import { decimal, text, whole } from "../setting.ts";

export const otlpSection = z.strictObject({
  endpoint: text({
    default: "",
    about:
      "Base address of an OpenTelemetry receiver that takes OTLP over HTTP; /v1/metrics and /v1/traces are added. Nothing is exported where it is empty",
    form: "an http or https address, such as http://127.0.0.1:4318",
    reader: "src/appliance/otlp.ts",
    pattern: /^(https?:\/\/\S+)?$/,
    patternText: "an http or https address",
  }),
  headers_file: text({
    default: "",
    about:
      "File with headers for the receiver, a line each, such as `authorization: Bearer …`; nobody else may read it",
    form: "a path, or nothing",
    reader: "src/appliance/otlp.ts",
  }),
  interval_s: whole({
    default: 15,
    min: 1,
    max: 3600,
    unit: "seconds",
    about: "How often metrics and spans are sent",
    tooLow: "The receiver and the network are busy with what hardly changed",
    tooHigh: "Charts are coarse, and spans of a busy time are overwritten before they are sent",
    reader: "src/appliance/otlp.ts",
  }),
  timeout_s: whole({
    default: 10,
    min: 1,
    max: 300,
    unit: "seconds",
    about: "How long one sending may take, retries included",
    tooLow: "A receiver that is far away is taken for a dead one",
    tooHigh: "A receiver that hangs keeps back what comes after",
    reader: "src/appliance/otlp.ts",
  }),
  sample_ratio: decimal({
    default: 0.01,
    min: 0,
    max: 1,
    unit: "share of requests",
    about:
      "Requests whose spans are sent, of those that belong to no trace yet; of the others, those that their caller sampled",
    tooLow: "Rare kinds of slow requests are never seen whole",
    tooHigh: "Each sampled request costs some microseconds and a few hundred bytes a span",
    reader: "src/appliance/watch.ts",
  }),
});
