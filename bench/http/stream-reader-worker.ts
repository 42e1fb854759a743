/** Reads event streams in a thread of its own, so that reading them does not slow whoever measures. */
export type StreamJob = { readonly urls: readonly string[] };

declare const self: {
  onmessage: ((event: { data: StreamJob }) => void) | null;
  postMessage(bytes: number): void;
};

const TELL_EVERY_MS = 50;

if (!Bun.isMainThread) {
  self.onmessage = ({ data: { urls } }) => {
    let bytes = 0;
    const read = async (url: string): Promise<void> => {
      const { body } = await fetch(url);
      for await (const chunk of body!) bytes += (chunk as Uint8Array).byteLength;
    };
    for (const url of urls) void read(url);
    setInterval(() => self.postMessage(bytes), TELL_EVERY_MS);
  };
}
