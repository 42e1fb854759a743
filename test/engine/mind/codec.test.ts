import { expect, test } from "bun:test";
import { entropySeed, Random } from "../../../src/base/random.ts";
import { type BindRecord, BindView } from "../../../src/engine/mind/bind-record.ts";
import { CompoundBuilder, compoundFault, compoundParts, viewOf } from "../../../src/engine/mind/compound.ts";
import { type NodeTraits, TRAIT_NAMES, TraitsView } from "../../../src/engine/mind/traits-record.ts";
import { decodeUses, encodeUses, type NodeUse } from "../../../src/engine/mind/use-request.ts";
import { PayloadEncoder } from "../../../src/engine/write-codec.ts";
import { LOG_KIND } from "../../../src/layout/log-payload.ts";
import {
  BIND_BYTES,
  MIND_PAYLOAD_BYTES_MAX,
  TRAIT_FIELD,
  TRAITS_BYTES,
  WALK,
} from "../../../src/layout/mind-record.ts";

const ROUNDS = 200;

test("CompoundBuilder: what goes in comes out, in order and by kind, for random parts", () => {
  const seed = entropySeed() >>> 0;
  const random = new Random(seed);
  const encoder = new PayloadEncoder();
  const builder = new CompoundBuilder();
  for (let round = 0; round < ROUNDS; round++) {
    const expected: unknown[] = [];
    builder.clear();
    for (let i = random.below(30); i > 0; i--) {
      switch (random.below(5)) {
        case 0: {
          const [node, traits] = [randomHash(random), randomTraits(random)];
          builder.traits(node, traits);
          expected.push({ node, traits });
          break;
        }
        case 1: {
          const bind = randomBind(random);
          builder.bind(bind);
          expected.push(bind);
          break;
        }
        case 2: {
          const sequence = random.below(2 ** 40);
          builder.progress("consolidation", sequence);
          expected.push({ walk: WALK.consolidation, sequence });
          break;
        }
        case 3: {
          const payload = encoder.forget(`id ${i}`).slice();
          builder.forget(payload);
          expected.push({ kind: LOG_KIND.forget, payload });
          break;
        }
        default: {
          const payload = rememberPayload(encoder, `concept ${i}`, random.below(40));
          builder.remember(payload);
          expected.push({ kind: LOG_KIND.remember, payload });
        }
      }
    }
    expect(compoundFault(builder.payload), `seed ${seed}`).toBeUndefined();
    expect(read(builder.payload), `seed ${seed}, round ${round}`).toEqual(expected);
  }
});

test("CompoundBuilder grows while bindings and traits are added", () => {
  const random = new Random(7);
  const builder = new CompoundBuilder();
  const binds = Array.from({ length: 2000 }, () => randomBind(random));
  for (const bind of binds) builder.bind(bind);
  for (const { source } of binds) builder.traits(source, randomTraits(random));
  expect(compoundFault(builder.payload)).toBeUndefined();
  const parts = [...compoundParts(builder.payload)];
  expect(parts.map(({ kind, payload }) => [kind, payload.byteLength])).toEqual([
    [LOG_KIND.bind, binds.length * BIND_BYTES],
    [LOG_KIND.traits, binds.length * TRAITS_BYTES],
  ]);
  const record = new BindView();
  const view = viewOf(parts[0]!.payload);
  for (const [i, bind] of binds.entries()) {
    expect(record.open(view, i * BIND_BYTES).source).toEqual(bind.source);
  }
});

test("compoundFault refuses a part that says it has four billion bytes", () => {
  const nonsense = new Uint8Array(16).fill(255);
  nonsense.set([LOG_KIND.traits, 0, 0, 0]);
  expect(compoundFault(nonsense)).toBe("it ends in a part");
});

test("compoundFault finds every cut, and reading what it lets pass never leaves the bytes", () => {
  const seed = entropySeed() >>> 0;
  const random = new Random(seed);
  const encoder = new PayloadEncoder();
  for (let round = 0; round < ROUNDS; round++) {
    const builder = new CompoundBuilder();
    builder.remember(rememberPayload(encoder, "a", 8)).forget(encoder.forget("b"));
    for (let i = random.below(5); i >= 0; i--) builder.traits(randomHash(random), randomTraits(random));
    builder.bind(randomBind(random)).progress("association", 7);
    const whole = builder.payload.slice();
    const cut = 1 + random.below(whole.byteLength - 1);
    const isBetweenParts = [...compoundEnds(whole)].includes(cut);
    expect(compoundFault(whole.slice(0, cut)) === undefined, `seed ${seed}, cut at ${cut}`).toBe(
      isBetweenParts,
    );
    const flipped = whole.slice();
    flipped[random.below(flipped.byteLength)]! ^= 1 << random.below(8);
    if (compoundFault(flipped) === undefined) expect(() => read(flipped)).not.toThrow();
  }
});

test("compoundFault names what is wrong", () => {
  const builder = new CompoundBuilder();
  const bind: BindRecord = { ...randomBind(new Random(1)), strength: 1.5 };
  expect(compoundFault(builder.bind(bind).payload)).toBe("a binding's strength is 0 to 1, not 1.5");
  expect(compoundFault(builder.clear().bind({ ...bind, strength: 1, kind: 9 }).payload)).toBe(
    "there is no kind 9 of binding",
  );
  const loop = { ...bind, strength: 1, kind: 1, destination: bind.source };
  expect(compoundFault(builder.clear().bind(loop).payload)).toBe("a node is not bound to itself");
  expect(compoundFault(builder.clear().part(LOG_KIND.createSpace, new Uint8Array(8)).payload)).toBe(
    "a compound has no parts of kind 3",
  );
  expect(
    compoundFault(builder.clear().traits(bind.source, { useCount: 1, valence: Number.NaN }).payload),
  ).toBe("valence is NaN");
  expect(compoundFault(new Uint8Array(MIND_PAYLOAD_BYTES_MAX + 8))).toBe("it has 1048584 bytes");
});

test("encodeUses and decodeUses agree, and what is no use is left out", () => {
  const random = new Random(3);
  const uses: Required<NodeUse>[] = [
    { node: randomHash(random), how: "retrieved", atMs: 1_764_000_000_123, group: 1 },
    { node: randomHash(random), how: "primed", atMs: 1_764_000_000_124, group: 0 },
    { node: randomHash(random), how: "reinforced", atMs: 0, group: 4_000_000_000 },
  ];
  const payload = encodeUses(uses);
  expect(decodeUses(payload)).toEqual(uses);
  payload[16] = 9;
  expect(decodeUses(payload)).toEqual(uses.slice(1));
  expect(decodeUses(payload.slice(0, 50))).toEqual(uses.slice(1, 2));
});

function read(compound: Uint8Array): unknown[] {
  const found: unknown[] = [];
  for (const { kind, payload } of compoundParts(compound)) {
    const view = viewOf(payload);
    if (kind === LOG_KIND.traits) {
      for (let at = 0; at < payload.byteLength; at += TRAITS_BYTES) {
        const { idHashLow, idHashHigh, fields, traits } = new TraitsView().open(view, at);
        const named = TRAIT_NAMES.filter((name) => (fields & TRAIT_FIELD[name]) !== 0);
        found.push({
          node: { low: idHashLow, high: idHashHigh },
          traits: Object.fromEntries(named.map((name) => [name, traits[name]])),
        });
      }
    } else if (kind === LOG_KIND.bind) {
      for (let at = 0; at < payload.byteLength; at += BIND_BYTES) {
        found.push({ ...new BindView().open(view, at) });
      }
    } else if (kind === LOG_KIND.progress) {
      found.push({ walk: view.getUint32(0, true), sequence: view.getFloat64(8, true) });
    } else {
      found.push({ kind, payload: payload.slice() });
    }
  }
  return found;
}

/** Where the parts of a compound end. */
function* compoundEnds(compound: Uint8Array): Generator<number> {
  let at = 0;
  for (const { payload } of compoundParts(compound)) {
    at += 8 + ((payload.byteLength + 7) & ~7);
    yield at;
  }
}

function rememberPayload(encoder: PayloadEncoder, id: string, dimensions: number): Uint8Array {
  return encoder
    .remember({
      id,
      content: "what repeats",
      metadataJson: undefined,
      tags: ["t"],
      timestampMs: 1,
      storedAtMs: 2,
      confidence: 0.5,
      vector: dimensions === 0 ? undefined : new Float32Array(dimensions).fill(1),
      norm: 1,
      replaces: true,
    })
    .slice();
}

function randomHash(random: Random) {
  return { low: random.below(2 ** 32), high: random.below(2 ** 32) };
}

function randomBind(random: Random): BindRecord {
  return {
    source: randomHash(random),
    destination: randomHash(random),
    kind: random.below(8),
    strength: Math.fround(random.float()),
    lastUsedSeconds: random.below(2 ** 32),
    useCount: random.below(65_536),
  };
}

/** Any of the fields, with values that f32 holds. */
function randomTraits(random: Random): Partial<NodeTraits> {
  const all: NodeTraits = {
    lastUsedMs: random.below(2 ** 41),
    useCount: random.below(2 ** 32),
    stabilityHours: Math.fround(random.float() * 1000),
    importance: Math.fround(random.float()),
    valence: Math.fround(random.float() * 2 - 1),
    lastActivation: Math.fround(random.float()),
    coherence: Math.fround(random.float()),
    memberCount: random.below(5000),
    phase: random.below(3),
  };
  return Object.fromEntries(Object.entries(all).filter(() => random.below(2) === 0));
}
