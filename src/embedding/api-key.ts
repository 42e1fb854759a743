/**
 * The key of an embedding server: read from a file, kept out of everything that is printed.
 */
import { readFileSync } from "node:fs";

/** No header is longer; a larger file is not a key. */
const KEY_BYTES_MAX = 8_192;

export class ApiKey {
  readonly #path: string;
  #key: string | undefined;
  #problem: string | undefined;

  /** @param path of a file whose first line is the key; "" for a server without keys */
  constructor(path: string) {
    this.#path = path;
    this.reload();
  }

  /** What stands in the way of using the key, for people. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The Authorization header, if there is a key. */
  get header(): string | undefined {
    return this.#key === undefined ? undefined : `Bearer ${this.#key}`;
  }

  /** Reads the file again; true when another key is in it now. */
  reload(): boolean {
    if (this.#path === "") return false;
    const before = this.#key;
    try {
      const line = readFileSync(this.#path, "utf8").split("\n", 1)[0]!.trim();
      const isUsable = line.length > 0 && line.length <= KEY_BYTES_MAX && /^[\x21-\x7e]+$/.test(line);
      this.#problem = isUsable ? undefined : `the first line of ${this.#path} is not a key`;
      this.#key = isUsable ? line : undefined;
    } catch (error) {
      this.#problem = `cannot read ${this.#path}: ${(error as Error).message}`;
      this.#key = undefined;
    }
    return this.#key !== undefined && this.#key !== before;
  }

  /** `text` without the key, and without what looks like one: servers like to repeat it in their errors. */
  redact(text: string): string {
    const bare = this.#key === undefined ? text : text.replaceAll(this.#key, "[key]");
    return bare.replace(/\b(?:sk|pk)[-_][\w*.-]{8,}|\bBearer\s+\S+/gi, "[key]");
  }
}
