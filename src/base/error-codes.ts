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
  "memory-not-found": request(404, "No memory has this id in this space", "Check the id and X-Memory-Space"),
  "memory-exists": request(
    409,
    "A memory with this id exists already",
    'Send "if_exists": "replace" or "keep", or another id',
  ),
  "space-not-found": request(
    404,
    "No such memory space",
    "Create it with POST /api/v1/spaces, or switch spaces.auto_create on",
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
  "disk-full": request(507, "There is no room on the disk for the log", "Free disk space, then try again"),
  "not-ready": request(503, "The appliance is recovering its data", "Try again when /readyz answers 200"),
  "shutting-down": request(503, "The appliance is shutting down", "Try again when it is back"),

  // --- operators ------------------------------------------------------------------------------
  internal: operator(70, "A rule inside the program was broken"),
  "config-file-unreadable": operator(78, "The configuration file can not be read"),
  "config-file-unwritable": operator(73, "The configuration file can not be written"),
  "config-syntax": operator(78, "The configuration file is not TOML"),
  "config-invalid": operator(78, "A setting is unknown or has a value it does not take"),
  "compiler-missing": operator(69, "The native library has to be built, and there is no C or C++ compiler"),
  "native-build-failed": operator(70, "The native library could not be built"),
  "file-operation-failed": operator(74, "The system refused a file operation"),
  "native-library-unusable": operator(70, "The native library can not be loaded, or is of another version"),
} as const satisfies Record<string, RequestCode | OperatorCode>;

export type ErrorCode = keyof typeof ERROR_CODES;
export type RequestErrorCode = {
  [C in ErrorCode]: (typeof ERROR_CODES)[C]["kind"] extends "request" ? C : never;
}[ErrorCode];
export type OperatorErrorCode = {
  [C in ErrorCode]: (typeof ERROR_CODES)[C]["kind"] extends "operator" ? C : never;
}[ErrorCode];
