/** The process as a whole, through the shim. */
import { ptr } from "bun:ffi";
import { errnoName, openShim } from "./library.ts";

const shim = openShim({ shim_process_replace: { args: ["ptr", "ptr", "ptr"], returns: "i32" } });

/**
 * Replaces the running program, in the same process: same id, same terminal, same open files but for those
 * marked close-on-exec. Every thread of the old one ends at once.
 *
 * @returns only on failure: the errno's name
 */
export function replaceProcess(
  path: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const variables = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  const argumentList = cStrings(args);
  const environmentList = cStrings(variables);
  return errnoName(
    -shim.shim_process_replace(ptr(cString(path)), ptr(argumentList.table), ptr(environmentList.table)),
  );
}

/** Texts ended by NUL, and the table of their addresses ended by 0; both must stay alive through the call. */
function cStrings(texts: readonly string[]): { table: BigUint64Array; texts: Buffer[] } {
  const buffers = texts.map(cString);
  const table = new BigUint64Array(texts.length + 1);
  for (const [index, buffer] of buffers.entries()) table[index] = BigInt(ptr(buffer));
  return { table, texts: buffers };
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`, "utf8");
}
