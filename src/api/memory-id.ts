/** Ids of memories: any text that UTF-8 can hold, 1 to 256 bytes. */
import { RequestError } from "../base/errors.ts";
import { ID_BYTES_MAX } from "./settings.ts";

/** @throws {RequestError} `request-invalid` */
export function checkId(id: string, at: string): string {
  const bytes = id.length <= ID_BYTES_MAX / 3 ? id.length : Buffer.byteLength(id);
  if (id.length > 0 && bytes <= ID_BYTES_MAX && id.isWellFormed()) return id;
  throw new RequestError({
    code: "request-invalid",
    message: `The id can not be used: ${at} should be 1 to ${ID_BYTES_MAX} bytes of UTF-8`,
    at,
    expected: `1 to ${ID_BYTES_MAX} bytes of UTF-8`,
    received: id.isWellFormed() ? `${Buffer.byteLength(id)} bytes` : "half of a surrogate pair",
  });
}
