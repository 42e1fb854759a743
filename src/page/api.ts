/**
 * The page's calls to the appliance that served it. Where keys are in force, the key is asked for once and kept for
 * the tab; it travels as a header, so that it is in no address and no log.
 */
const KEY_NAME = "engram-key";

/** The appliance wants a key, or another one. */
export class KeyNeeded extends Error {
  override readonly name = "KeyNeeded";
}

export type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };
export type Series = {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [seconds: number, value: number])[];
};

export function setKey(key: string): void {
  sessionStorage.setItem(KEY_NAME, key);
}

/** @throws {KeyNeeded | Error} */
export async function read<T>(path: string): Promise<T> {
  const response = await fetch(path, { headers: headers() });
  if (response.status === 401 || response.status === 403) throw new KeyNeeded(await problemText(response));
  if (!response.ok && response.status !== 503) throw new Error(await problemText(response));
  return (await response.json()) as T;
}

/** Values of an expression now. */
export async function query(expr: string): Promise<Sample[]> {
  type Reply = { data: { result: { metric: Record<string, string>; value: [number, string] }[] } };
  const { data } = await read<Reply>(`/api/v1/query?query=${encodeURIComponent(expr)}`);
  return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}

/** Values of an expression over the last `seconds`. */
export async function queryRange(expr: string, seconds: number, stepSeconds: number): Promise<Series[]> {
  type Reply = { data: { result: { metric: Record<string, string>; values: [number, string][] }[] } };
  const end = Math.floor(Date.now() / 1000 / stepSeconds) * stepSeconds;
  const { data } = await read<Reply>(
    `/api/v1/query_range?query=${encodeURIComponent(expr)}&start=${end - seconds}&end=${end}&step=${stepSeconds}`,
  );
  return data.result.map(({ metric, values }) => ({
    labels: metric,
    points: values.map(([at, value]) => [at, Number(value)] as const),
  }));
}

export type StreamEvent = { readonly name: string; readonly data: Readonly<Record<string, unknown>> };

/**
 * Follows an event stream until `signal` ends it; comes back by itself, with the last id it saw.
 *
 * `EventSource` would do, but it can not send a key.
 */
export async function follow(
  path: string,
  signal: AbortSignal,
  onEvent: (event: StreamEvent) => void,
): Promise<void> {
  let lastId: string | undefined;
  for (let waitMs = 1000; !signal.aborted; waitMs = Math.min(30_000, waitMs * 2)) {
    try {
      const resume: Record<string, string> = lastId === undefined ? {} : { "last-event-id": lastId };
      const response = await fetch(path, { headers: { ...headers(), ...resume }, signal });
      if (!response.ok || response.body === null) return;
      for await (const block of blocksOf(response.body)) {
        waitMs = 1000;
        const fields = new Map(
          block.split("\n").map((line) => {
            const colon = line.indexOf(": ");
            return [line.slice(0, colon), line.slice(colon + 2)] as const;
          }),
        );
        lastId = fields.get("id") ?? lastId;
        const data = fields.get("data");
        const name = fields.get("event");
        if (data !== undefined && name !== undefined) onEvent({ name, data: JSON.parse(data) });
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof TypeError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

async function* blocksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split("\n\n");
    rest = blocks.pop()!;
    yield* blocks;
  }
}

function headers(): Record<string, string> {
  const key = sessionStorage.getItem(KEY_NAME);
  return key === null ? {} : { authorization: `Bearer ${key}` };
}

async function problemText(response: Response): Promise<string> {
  try {
    const { detail, error } = (await response.json()) as { detail?: string; error?: string };
    return detail ?? error ?? `HTTP ${response.status}`;
  } catch {
    return `HTTP ${response.status}`;
  }
}
