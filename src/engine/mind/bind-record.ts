/** Bind records (`layout/mind-record.ts`): a binding as it now is, to and from bytes. */
import type { Hash64 } from "../../base/hash64.ts";
import { BINDING_KIND_COUNT } from "../../layout/binding.ts";
import { BIND, BIND_BYTES } from "../../layout/mind-record.ts";

export type BindRecord = {
  readonly source: Hash64;
  readonly destination: Hash64;
  /** a BINDING_KIND */
  readonly kind: number;
  /** 0 to 1; 0 takes the binding away */
  readonly strength: number;
  /** s since the epoch; 0: never used */
  readonly lastUsedSeconds: number;
  readonly useCount: number;
};

export const BIND_USE_COUNT_MAX = 0xffff;

export function writeBind(view: DataView, at: number, bind: BindRecord): void {
  view.setUint32(at + BIND.source, bind.source.low, true);
  view.setUint32(at + BIND.source + 4, bind.source.high, true);
  view.setUint32(at + BIND.destination, bind.destination.low, true);
  view.setUint32(at + BIND.destination + 4, bind.destination.high, true);
  view.setUint16(at + BIND.kind, bind.kind, true);
  view.setUint16(at + BIND.useCount, Math.min(bind.useCount, BIND_USE_COUNT_MAX), true);
  view.setFloat32(at + BIND.strength, bind.strength, true);
  view.setUint32(at + BIND.lastUsedSeconds, bind.lastUsedSeconds, true);
  view.setUint32(at + BIND.lastUsedSeconds + 4, 0, true);
}

/** A bind record opened for reading; reused from record to record. */
export class BindView {
  readonly source: Hash64 = { low: 0, high: 0 };
  readonly destination: Hash64 = { low: 0, high: 0 };
  kind = 0;
  strength = 0;
  lastUsedSeconds = 0;
  useCount = 0;

  open(view: DataView, at: number): this {
    this.source.low = view.getUint32(at + BIND.source, true);
    this.source.high = view.getUint32(at + BIND.source + 4, true);
    this.destination.low = view.getUint32(at + BIND.destination, true);
    this.destination.high = view.getUint32(at + BIND.destination + 4, true);
    this.kind = view.getUint8(at + BIND.kind);
    this.useCount = view.getUint16(at + BIND.useCount, true);
    this.strength = view.getFloat32(at + BIND.strength, true);
    this.lastUsedSeconds = view.getUint32(at + BIND.lastUsedSeconds, true);
    return this;
  }
}

/** Why the records can not be what was meant, or undefined. */
export function bindFault(view: DataView): string | undefined {
  if (view.byteLength % BIND_BYTES !== 0) return `bindings of ${view.byteLength} bytes are not whole records`;
  const record = new BindView();
  for (let at = 0; at < view.byteLength; at += BIND_BYTES) {
    const { kind, strength, source, destination } = record.open(view, at);
    if (kind >= BINDING_KIND_COUNT) return `there is no kind ${kind} of binding`;
    if (!(strength >= 0 && strength <= 1)) return `a binding's strength is 0 to 1, not ${strength}`;
    if (source.low === destination.low && source.high === destination.high) {
      return "a node is not bound to itself";
    }
  }
  return undefined;
}
