/**
 * Every error code, declared once. `docs/reference/errors.md` is generated from this table.
 *
 * `kind` says who can act: "request" codes carry the HTTP status they answer with, "operator" codes the
 * exit status of a command that fails with them (sysexits.h: 64 usage, 69 unavailable, 70 internal,
 * 71 OS, 73 cannot create, 74 I/O, 75 try again, 77 permission, 78 configuration).
 */
type RequestCode = { kind: "request"; status: number; summary: string; remedy: string };
type OperatorCode = { kind: "operator"; exit: number; summary: string };

const request = (status: number, summary: string, remedy: string): RequestCode => ({
  kind: "request",
  status,
  summary,
  remedy,
});
const operator = (exit: number, summary: string): OperatorCode => ({ kind: "operator", exit, summary });

export const ERROR_CODES = {
  // --- requests -------------------------------------------------------------------------------
  "request-invalid": request(
    400,
    "The request does not match its contract",
    "Compare the request with the contract at /api/v1/docs",
  ),
  // the request itself (src/api)
  "json-invalid": request(400, "The body is not the JSON it says it is", "Send a JSON object in UTF-8"),
  "json-too-deep": request(
    400,
    "The JSON is nested too deeply",
    "Flatten it, or raise limits.json_depth and restart",
  ),
  "body-incomplete": request(400, "The body ended before it was complete", "Send the request again"),
  "key-missing": request(
    401,
    "This appliance needs an API key",
    'Send "Authorization: Bearer eng_…" or "X-API-Key: eng_…"; make one with: engram-appliance key create',
  ),
  "key-invalid": request(
    401,
    "The API key is not valid",
    "Check the key; a lost one can not be shown again: engram-appliance key create",
  ),
  "right-missing": request(
    403,
    "The API key does not grant this right",
    "Use a key with the right: engram-appliance key create --rights read,write,admin",
  ),
  "space-forbidden": request(
    403,
    "The API key does not open this memory space",
    "Use a key for the space: engram-appliance key create --spaces NAME",
  ),
  "host-refused": request(
    403,
    "Without API keys the API answers only requests that name the loopback address",
    "Call http://127.0.0.1, or make a key: engram-appliance key create",
  ),
  "origin-refused": request(
    403,
    "Without API keys the API does not answer pages of other origins",
    "Call the API from a program, or make a key: engram-appliance key create",
  ),
  "completion-insufficient": request(
    422,
    "Too little is known to complete the fragment",
    "Give the fields that the answer names, or store more episodes",
  ),
  "imagination-insufficient": request(
    422,
    "There are too few episodes to imagine a scene from",
    "Store episodes that have to do with it",
  ),
  "statement-invalid": request(
    400,
    "The statement of the query language can not be read",
    "See the grammar in docs/reference/query-language.md",
  ),
  "route-not-found": request(404, "There is no such call", "See the calls at /api/v1/docs"),
  "method-not-allowed": request(405, "The call does not take this method", "Use a method named in Allow"),
  "body-too-large": request(
    413,
    "The body is too large",
    "Send less at once, or raise limits.body_mb and restart",
  ),
  "batch-too-large": request(
    413,
    "The batch holds too many memories",
    "Split the batch, or raise limits.batch_max and restart",
  ),
  "content-too-large": request(
    413,
    "The content is too large",
    "Split it into several memories, or raise limits.content_kb and restart",
  ),
  "metadata-too-large": request(
    413,
    "The metadata is too large",
    "Keep large data elsewhere, or raise limits.metadata_kb and restart",
  ),
  "media-type-unsupported": request(
    415,
    "The call does not read this media type",
    'Send "Content-Type: application/json"',
  ),
  "login-throttled": request(
    429,
    "Too many API keys were wrong",
    "Wait for Retry-After, then send a valid key",
  ),
  "headers-too-large": request(431, "The headers are too large", "Send fewer or shorter headers"),
  "memory-not-found": request(404, "No memory has this id in this space", "Check the id and X-Memory-Space"),
  "memory-exists": request(
    409,
    "A memory with this id exists already",
    'Send "if_exists": "replace" or "keep", or another id',
  ),
  "link-not-found": request(
    404,
    "No such link leads from the one memory to the other",
    "Check kind and direction: GET /api/v1/links?id= shows what a memory is bound to",
  ),
  "space-not-found": request(
    404,
    "No such memory space",
    "Create it with POST /api/v1/spaces, or switch spaces.auto_create on",
  ),
  "silence-not-found": request(
    404,
    "No silence that has not ended has this id",
    "List them: GET /api/v1/alerts/silences",
  ),
  "silences-full": request(
    409,
    "There are as many silences as are kept",
    "End one that is not needed: DELETE /api/v1/alerts/silences/ID",
  ),
  "space-exists": request(
    409,
    "A memory space of this name exists already",
    "Use it, or choose another name",
  ),
  "space-limit-reached": request(
    409,
    "The appliance holds as many memory spaces as it is set to",
    "Delete a space, or raise spaces.max and restart",
  ),
  "space-full": request(
    507,
    "The memory space holds as many memories as it is set to",
    "Forget memories, use another space, or raise spaces.max_memories",
  ),
  "dimensions-mismatch": request(
    422,
    "The embedding has another number of dimensions than the space",
    "Send an embedding made by the space's embedder, or use another space",
  ),
  "embedder-mismatch": request(
    422,
    "The space was made with another embedder",
    "Send embeddings made by the space's embedder, or use another space",
  ),
  "embedding-invalid": request(
    422,
    "The embedding can not be compared with others",
    "Send finite numbers that are not all zero",
  ),
  "activation-off": request(
    409,
    "Spreading activation is switched off, and mode=spreading is nothing else",
    'Recall with mode=hybrid, or set "activation.enabled" and restart',
  ),
  "embedding-required": request(
    422,
    "The space's embedder is none, so the caller brings the embedding",
    'Send "embedding", or recall with mode=words',
  ),
  "embedder-unavailable": request(
    503,
    "The embedding provider does not answer",
    "Try again, or recall with mode=words; see health for the provider's state",
  ),
  overloaded: request(503, "The appliance can not take more writes right now", "Try again after Retry-After"),
  "streams-full": request(
    503,
    "As many event streams are open as are allowed",
    "Try again after Retry-After, or raise monitoring.stream_clients and restart",
  ),
  "disk-full": request(507, "There is no room on the disk for the log", "Free disk space, then try again"),
  "memory-exhausted": request(
    507,
    "The machine has no memory left for more memories",
    "Forget memories, add memory, or raise the limit of the service (MemoryMax=)",
  ),
  "setting-not-live": request(
    409,
    "The setting can not be changed while the appliance runs",
    "Set it in the settings file, then restart: engram-appliance config set NAME VALUE",
  ),
  "profile-running": request(
    409,
    "The appliance is being profiled already, by somebody else",
    "Try again after Retry-After",
  ),
  "not-ready": request(503, "The appliance is recovering its data", "Try again when /readyz answers 200"),
  "shutting-down": request(503, "The appliance is shutting down", "Try again when it is back"),

  // --- operators ------------------------------------------------------------------------------
  internal: operator(70, "A rule inside the program was broken"),
  "keys-damaged": operator(78, "The file of API keys is damaged"),
  "keys-unwritable": operator(73, "The file of API keys can not be written"),
  "key-unknown": operator(69, "There is no such API key"),
  "otlp-headers-refused": operator(
    78,
    "The file with headers for the OpenTelemetry receiver can not be used",
  ),
  "listen-refused": operator(78, "Listening there would open every memory to anyone"),
  "listen-failed": operator(71, "The address can not be listened on"),
  usage: operator(64, "The command line is wrong"),
  "appliance-unreachable": operator(69, "No appliance answers at this address"),
  "drm-material-unreadable": operator(66, "The word lists can not be read"),
  "bench-failed": operator(70, "A benchmark got no answer that could be measured"),
  "bench-baseline-unreadable": operator(
    66,
    "The result that a benchmark should be held against can not be read",
  ),
  "profile-unreadable": operator(66, "A profile that should be compared can not be read"),
  "report-unwritable": operator(73, "The directory for a report can not be written to"),
  "tune-record-unwritable": operator(
    73,
    "What tuning changes can not be written down, so nothing is changed",
  ),
  "tune-nothing-to-take-back": operator(66, "No tuning is on record that could be taken back"),
  "tune-restart-failed": operator(
    69,
    "The appliance did not serve again after the restart that tuning asked for",
  ),
  "key-file-unreadable": operator(66, "The file that should hold an API key can not be read"),
  "stop-cut-short": operator(75, "Stopping took longer than its bound, or was cut short by a second signal"),
  "install-denied": operator(77, "Installing needs rights the user does not have"),
  "install-failed": operator(73, "A file of the installation can not be put in place"),
  "build-failed": operator(70, "The executable could not be built"),
  "config-file-unreadable": operator(78, "The configuration file can not be read"),
  "config-file-unwritable": operator(73, "The configuration file can not be written"),
  "config-syntax": operator(78, "The configuration file is not TOML"),
  "settings-kept": operator(75, "A change of settings did not reach every thread, and was taken back"),
  "config-invalid": operator(78, "A setting is unknown or has a value it does not take"),
  "compiler-missing": operator(69, "The native library has to be built, and there is no C or C++ compiler"),
  "native-build-failed": operator(70, "The native library could not be built"),
  "file-operation-failed": operator(74, "The system refused a file operation"),
  "memory-refused": operator(71, "The system gave no memory of the kind that the settings ask for"),
  "vector-index-failed": operator(71, "The vector index could not get the memory it needs"),
  "vector-index-full": operator(70, "The vector index holds as many vectors as it was opened for"),
  "native-library-unusable": operator(70, "The native library can not be loaded, or is of another version"),
  "data-directory-locked": operator(75, "Another process uses the data directory"),
  "data-directory-unusable": operator(73, "The data directory can not be made, read or written"),
  "data-format-unknown": operator(78, "The data directory was written by a newer program"),
  "data-directory-damaged": operator(
    74,
    "A file that names what the data directory holds is damaged or missing",
  ),
  "log-write-failed": operator(74, "The log could not be written"),
  "log-sync-failed": operator(74, "The log could not be made durable"),
  "log-damaged": operator(74, "A part of the log that was durable once can not be read any more"),
  "log-segment-missing": operator(74, "A file of the log is missing"),
  "log-behind-checkpoint": operator(74, "The log ends before what the checkpoint holds"),
  "checkpoint-damaged": operator(74, "A file of the checkpoint is damaged or missing"),
  "checkpoint-failed": operator(74, "A checkpoint could not be written; the one before stays valid"),
  "checkpoint-disk-full": operator(
    75,
    "There is no room on the disk for a checkpoint; the one before stays valid",
  ),
} as const satisfies Record<string, RequestCode | OperatorCode>;

export type ErrorCode = keyof typeof ERROR_CODES;
export type RequestErrorCode = {
  [C in ErrorCode]: (typeof ERROR_CODES)[C]["kind"] extends "request" ? C : never;
}[ErrorCode];
export type OperatorErrorCode = {
  [C in ErrorCode]: (typeof ERROR_CODES)[C]["kind"] extends "operator" ? C : never;
}[ErrorCode];
