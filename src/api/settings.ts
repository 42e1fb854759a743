/** What the HTTP API is set to. `serve.ts` makes it from the settings; tests make it by hand. */

/** What one request may ask for; more is refused with a 4xx that names the limit. */
export type ApiLimits = {
  readonly bodyBytesMax: number;
  readonly headerBytesMax: number;
  /** levels of objects and arrays, the body itself being the first */
  readonly jsonDepthMax: number;
  readonly batchCountMax: number;
  readonly contentBytesMax: number;
  readonly metadataBytesMax: number;
  readonly tagCountMax: number;
  /** event streams open at once in this worker */
  readonly streamClientsMax: number;
  /** how often an event stream says that it still stands */
  readonly streamBeatMs: number;
};

export type AccessSettings = {
  /** a key is needed even before the first one exists */
  readonly requireKeys: boolean;
  readonly allowUnauthenticatedRemote: boolean;
  /** wrong keys one address may send before it is answered 429 */
  readonly failedLoginBurst: number;
  readonly failedLoginDelayMs: number;
};

export type ApiSettings = {
  readonly host: string;
  readonly port: number;
  readonly drainTimeoutMs: number;
  /** requests under way at once in this worker; more are answered 503 */
  readonly inFlightMax: number;
  readonly idleTimeoutSeconds: number;
  readonly limits: ApiLimits;
  readonly access: AccessSettings;
};

/** Ids are any text up to this many bytes of UTF-8. */
export const ID_BYTES_MAX = 256;
export const TAG_CHARS_MAX = 256;
export const EMBEDDING_DIMENSIONS_MAX = 8192;
export const STABILITY_HOURS_MIN = 0.01;
/** a hundred years */
export const STABILITY_HOURS_MAX = 876_600;
export const RECALL_LIMIT_MAX = 1000;
export const RECALL_LIMIT_DEFAULT = 10;
export const RECALL_EF_MAX = 4096;
export const RECALL_CONCEPTS_MAX = 16;
export const LIST_LIMIT_MAX = 1000;
export const LIST_LIMIT_DEFAULT = 50;
export const SLOW_LIMIT_MAX = 10_000;
export const SLOW_LIMIT_DEFAULT = 100;
export const CONFIDENCE_DEFAULT = 0.7;
export const SPACE_DEFAULT = "default";
