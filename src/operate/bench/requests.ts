/**
 * The requests of a workload, as bytes ready to be sent: the same for the same seed.
 *
 * Some thousand recalls and stores are prepared for each tenant group and sent round and round; a store is new each
 * time by the id that the appliance makes for it.
 */
import { Random } from "../../base/random.ts";
import { postRequest } from "../load/http-load.ts";
import { ZipfText } from "../load/zipf-text.ts";
import type { Mix, RequestClass } from "./workloads.ts";

const PREPARED = 4096;
/** Of the requests of a noisy phase, the noisy tenant's: four times as many as those of all others. */
const NOISY_SHARE = 0.8;
const REMEMBER = "/api/v1/memories/remember";
const RECALL = "/api/v1/memories/recall";
const RECALL_LIMIT = 10;

export type PreparedRequest = { readonly bytes: Uint8Array; readonly requestClass: RequestClass };

export function prepareRequests(options: {
  readonly mix: Mix;
  readonly spaces: readonly string[];
  readonly seed: number;
  /** sent with each, as the key */
  readonly headers: Readonly<Record<string, string>>;
}): PreparedRequest[] {
  const { mix, spaces, seed, headers } = options;
  const random = new Random(seed);
  const texts = new ZipfText(seed);
  return Array.from({ length: mix.distinct ?? PREPARED }, () => {
    const isNoisy = mix.tenants === "noisy" && random.float() < NOISY_SHARE;
    const others = mix.tenants === "all" ? spaces : spaces.slice(1);
    const space = isNoisy ? spaces[0]! : others[random.below(others.length)]!;
    const isRecall = random.float() < mix.recallShare;
    const body = isRecall
      ? { query: texts.text(3, 8), limit: mix.limit ?? RECALL_LIMIT }
      : { content: texts.text(10, 25), ack: "fsync" };
    const bytes = postRequest(isRecall ? RECALL : REMEMBER, JSON.stringify(body), {
      ...headers,
      "X-Memory-Space": space,
    });
    const requestClass =
      mix.tenants === "all" ? (isRecall ? "recall" : "store") : isNoisy ? "noisy" : "quiet";
    return { bytes, requestClass };
  });
}

/** Bodies of batches that fill a space with `memories` texts. */
export function* fillingBatches(memories: number, seed: number): Generator<unknown> {
  const texts = new ZipfText(seed);
  const BATCH = 250;
  for (let from = 0; from < memories; from += BATCH) {
    const count = Math.min(BATCH, memories - from);
    yield { ack: "wal", memories: Array.from({ length: count }, () => ({ content: texts.text(10, 25) })) };
  }
}
