/**
 * Who is calling, and whether they may. Asked before a body is looked at.
 *
 *   no key in the file    open, for programs on this machine (local-guard.ts), unless access.require_keys is on
 *   a key in the file     every call but livez, readyz and the docs needs a key, with the right and the space
 *
 * The answer is immediate for a key that was verified before; the first time it waits for a hash.
 */
import type { Clock } from "../base/clock.ts";
import { RequestError } from "../base/errors.ts";
import { ALL_SPACES, type KeyRecord, parseKey, RIGHTS, type Right } from "../storage/key-store.ts";
import type { KeyRing } from "./key-ring.ts";
import { guardLocalRequest } from "./local-guard.ts";
import { LoginThrottle } from "./login-throttle.ts";
import type { AccessSettings } from "./settings.ts";

/** Who is calling. */
export type Caller = {
  /** id of the key; undefined where none is needed */
  readonly keyId: string | undefined;
  readonly rights: readonly Right[];
  readonly spaces: readonly string[];
};

export type AccessOptions = {
  readonly ring: KeyRing;
  readonly settings: AccessSettings;
  readonly clock: Clock;
  /** waits; handed in so that tests need not */
  readonly sleep: (ms: number) => Promise<void>;
  /** the host listened on is loopback, so that a request for another name is no honest one */
  readonly loopbackOnly: boolean;
};

const ANYONE: Caller = { keyId: undefined, rights: RIGHTS, spaces: [ALL_SPACES] };

export class Access {
  readonly #options: AccessOptions;
  readonly #throttle: LoginThrottle;
  readonly #callers = new WeakMap<KeyRecord, Caller>();
  /** the peer's address; set by the server once it listens */
  remoteAddress: (request: Request) => string = () => "unknown";

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#throttle = new LoginThrottle(options.clock, options.settings.failedLoginBurst);
  }

  /** Whether calls need a key now. */
  get keysNeeded(): boolean {
    // Asked first, whatever the settings say: the ring looks whether its file has changed.
    return this.#options.ring.hasKeys || this.#options.settings.requireKeys;
  }

  /**
   * Lets a request in.
   * @param space the memory space it works on; undefined where it works on none
   * @throws {RequestError} `key-missing`, `key-invalid`, `right-missing`, `space-forbidden`, `login-throttled`,
   *   `host-refused`, `origin-refused`; as a rejection when the key had to be hashed
   */
  admit(request: Request, right: Right, space: string | undefined): Caller | Promise<Caller> {
    if (!this.keysNeeded) {
      if (this.#options.loopbackOnly) guardLocalRequest(request);
      return ANYONE;
    }
    const text = keyText(request.headers);
    if (text === undefined) {
      throw new RequestError({
        code: "key-missing",
        message: "The request carries no API key",
        at: "Authorization",
        expected: "Bearer eng_…",
        received: "absent",
      });
    }
    const key = parseKey(text);
    if (key !== undefined) {
      const record = this.#options.ring.verified(key);
      if (record !== undefined) return this.#allow(record, right, space);
    }
    return this.#login(text, this.remoteAddress(request)).then((record) => this.#allow(record, right, space));
  }

  /** Checks a space that is named elsewhere than in the header. @throws {RequestError} `space-forbidden` */
  requireSpace(caller: Caller, space: string, at: string): void {
    if (opens(caller.spaces, space)) return;
    throw new RequestError({
      code: "space-forbidden",
      message: `The key does not open the memory space "${space}"`,
      at,
      expected: `one of ${caller.spaces.join(", ")}`,
      received: JSON.stringify(space),
    });
  }

  async #login(text: string, address: string): Promise<KeyRecord> {
    this.#throttle.take(address);
    const key = parseKey(text);
    const record = key === undefined ? "wrong" : await this.#options.ring.verify(key);
    if (record === "busy") {
      this.#throttle.giveBack(address);
      throw new RequestError({
        code: "login-throttled",
        message: "Cannot check the API key: too many are being checked",
        retryAfterSeconds: 1,
      });
    }
    if (record === "wrong") {
      await this.#options.sleep(this.#options.settings.failedLoginDelayMs);
      throw new RequestError({
        code: "key-invalid",
        message: "The API key is unknown, revoked or expired",
        at: "Authorization",
        expected: "a live key of this appliance",
        received: "another one",
      });
    }
    this.#throttle.giveBack(address);
    return record;
  }

  #allow(record: KeyRecord, right: Right, space: string | undefined): Caller {
    requireRight(record.rights, right);
    let caller = this.#callers.get(record);
    if (caller === undefined) {
      caller = { keyId: record.id, rights: record.rights, spaces: record.spaces };
      this.#callers.set(record, caller);
    }
    if (space !== undefined) this.requireSpace(caller, space, "X-Memory-Space");
    return caller;
  }
}

/** Whether a caller's list of spaces holds `space`. */
export function opens(spaces: readonly string[], space: string): boolean {
  return spaces.includes(ALL_SPACES) || spaces.includes(space);
}

function keyText(headers: Headers): string | undefined {
  const authorization = headers.get("authorization");
  if (authorization !== null) {
    const found = /^Bearer +(\S+) *$/i.exec(authorization);
    // Another scheme is a wrong key rather than none, so that it is slowed like one.
    return found === null ? authorization : found[1]!;
  }
  return headers.get("x-api-key") ?? undefined;
}

/** @throws {RequestError} `right-missing` */
export function requireRight(rights: readonly Right[], right: Right): void {
  if (rights.includes(right)) return;
  throw new RequestError({
    code: "right-missing",
    message: `The call needs the right "${right}"`,
    expected: `a key with the right "${right}"`,
    received: `a key with ${rights.join(", ")}`,
  });
}
