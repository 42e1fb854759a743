/**
 * Slows the guessing of API keys.
 *
 * Every attempt that has to be hashed takes a token from the bucket of its address and one from a bucket for all
 * addresses; a right key gives them back. An empty bucket is answered 429 at once, without a hash. Keys that were
 * verified before do not come here, so that a client with an old key can not lock out its neighbours for long, and
 * an attack does not reach those who are in.
 *
 * Addresses are remembered in a map of bounded size: when it is full, the longest untouched one is dropped, and the
 * bucket for all addresses bounds what an attacker with many addresses gains by that. An IPv6 host commonly holds a
 * whole /64, so that is what counts as one address.
 */
import type { Clock } from "../base/clock.ts";
import { RequestError } from "../base/errors.ts";

const ADDRESSES_MAX = 4096;
/** One token comes back in this time. */
const REFILL_MS = 6_000;
/** Attempts of all addresses together: 16 bursts at once, then 20 a second, half a core of argon2id. */
const GLOBAL_BURSTS = 16;
const GLOBAL_REFILL_MS = 50;

type Bucket = { tokens: number; atMs: number };

export class LoginThrottle {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #global: Bucket;
  readonly #byAddress = new Map<string, Bucket>();

  /** @param burst attempts one address may make at once */
  constructor(clock: Clock, burst: number) {
    this.#clock = clock;
    this.#burst = burst;
    this.#global = { tokens: burst * GLOBAL_BURSTS, atMs: clock.nowNs() / 1e6 };
  }

  /** Takes an attempt. @throws {RequestError} `login-throttled` when there is none left */
  take(address: string): void {
    const nowMs = this.#clock.nowNs() / 1e6;
    const bucket = this.#bucket(networkOf(address), nowMs);
    refill(bucket, nowMs, this.#burst, REFILL_MS);
    refill(this.#global, nowMs, this.#burst * GLOBAL_BURSTS, GLOBAL_REFILL_MS);
    if (bucket.tokens < 1) throw throttled(((1 - bucket.tokens) * REFILL_MS) / 1000);
    if (this.#global.tokens < 1) throw throttled(((1 - this.#global.tokens) * GLOBAL_REFILL_MS) / 1000);
    bucket.tokens -= 1;
    this.#global.tokens -= 1;
  }

  /** Gives an attempt back: its key was right. */
  giveBack(address: string): void {
    const bucket = this.#byAddress.get(networkOf(address));
    if (bucket !== undefined) bucket.tokens = Math.min(this.#burst, bucket.tokens + 1);
    this.#global.tokens = Math.min(this.#burst * GLOBAL_BURSTS, this.#global.tokens + 1);
  }

  /** Addresses remembered now, at most 4,096. */
  get addressCount(): number {
    return this.#byAddress.size;
  }

  #bucket(network: string, nowMs: number): Bucket {
    const found = this.#byAddress.get(network);
    const bucket = found ?? { tokens: this.#burst, atMs: nowMs };
    // A map keeps the order of insertion: putting it back makes it the youngest.
    if (found !== undefined) this.#byAddress.delete(network);
    else if (this.#byAddress.size >= ADDRESSES_MAX)
      this.#byAddress.delete(this.#byAddress.keys().next().value ?? "");
    this.#byAddress.set(network, bucket);
    return bucket;
  }
}

function refill(bucket: Bucket, nowMs: number, tokensMax: number, refillMs: number): void {
  bucket.tokens = Math.min(tokensMax, bucket.tokens + (nowMs - bucket.atMs) / refillMs);
  bucket.atMs = nowMs;
}

/** The address, or the /64 of an IPv6 one; IPv4 written as IPv6 counts as IPv4. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1]!;
  if (!address.includes(":")) return address;
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::");
  const groups = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - last.length);
  const all = [...groups, ...Array<string>(zeros).fill("0"), ...last];
  return `${all.slice(0, 4).join(":")}::/64`;
}

function throttled(retryAfterSeconds: number): RequestError {
  return new RequestError({
    code: "login-throttled",
    message: "Cannot check the API key: too many wrong ones came before it",
    retryAfterSeconds,
  });
}
