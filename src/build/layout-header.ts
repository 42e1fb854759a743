/**
 * Generates `native/layout.h` from `src/layout/`: the structures that C reads, as structs with their offsets
 * checked at compile time, and the constants.
 *
 * The generated header is committed, so that the native library builds without running TypeScript first and
 * a change of layout shows in review; `test/layout/native-layout.test.ts` fails when it is stale, and compares
 * every offset with what the compiled library reports (`native/layout.c`).
 *
 * Run it after changing `src/layout/`: `bun src/build/layout-header.ts`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../base/assert.ts";
import {
  BINDING,
  BINDING_BYTES,
  BINDING_CHUNK_BYTES,
  BINDING_EXTENT,
  BINDING_EXTENT_HEAD_BYTES,
  BINDING_FLAG,
  BINDING_KIND,
  BINDING_UNIT_BYTES,
} from "../layout/binding.ts";
import { CACHE_LINE_BYTES } from "../layout/cache-line.ts";
import { CONTENT_RECORD, CONTENT_RECORD_HEAD_BYTES } from "../layout/content-record.ts";
import { FILTER, FILTER_HEAD_BYTES, FILTER_TAGS_MAX } from "../layout/filter.ts";
import { NODE_HEADER, NODE_HEADER_BYTES, NODE_KIND, NODE_PHASE, NODE_STATE } from "../layout/node-header.ts";
import { QUANTIZATION } from "../layout/space-root.ts";

type CType = "uint8_t" | "uint16_t" | "uint32_t" | "uint64_t" | "float" | "double";

const C_TYPE_BYTES: Record<CType, number> = {
  uint8_t: 1,
  uint16_t: 2,
  uint32_t: 4,
  uint64_t: 8,
  float: 4,
  double: 8,
};

type StructSpec = {
  readonly name: string;
  readonly bytes: number;
  readonly source: string;
  readonly fields: Readonly<Record<string, { readonly at: number; readonly type: CType }>>;
};

/** Joins offsets with C types; a field that is added to the layout and not here does not compile. */
function withTypes<Field extends string>(
  offsets: Readonly<Record<Field, number>>,
  types: Readonly<Record<NoInfer<Field>, CType>>,
): StructSpec["fields"] {
  const fields: Record<string, { at: number; type: CType }> = {};
  for (const field of Object.keys(offsets) as Field[])
    fields[field] = { at: offsets[field], type: types[field] };
  return fields;
}

/** What C reads of memory that JavaScript writes, or the other way round. */
export const LAYOUT_STRUCTS: readonly StructSpec[] = [
  {
    name: "node_header",
    bytes: NODE_HEADER_BYTES,
    source: "node-header.ts",
    fields: withTypes(NODE_HEADER, {
      idHash: "uint64_t",
      timestampMs: "double",
      storedAtMs: "double",
      contentAt: "double",
      contentBytes: "uint32_t",
      tokenCount: "uint32_t",
      confidence: "float",
      vectorNorm: "float",
      forwardAt: "double",
      tagBloom: "uint64_t",
      state: "uint32_t",
      kind: "uint8_t",
      phase: "uint8_t",
      flags: "uint16_t",
      sequence: "double",
      bindingsAt: "uint32_t",
      fanOut: "uint32_t",
      lastUsedMs: "double",
      useCount: "uint32_t",
      stabilityHours: "float",
      importance: "float",
      valence: "float",
      bindingVersion: "uint32_t",
      lastActivation: "float",
      coherence: "float",
      memberCount: "uint32_t",
    }),
  },
  {
    name: "binding_extent",
    bytes: BINDING_EXTENT_HEAD_BYTES,
    source: "binding.ts",
    fields: withTypes(BINDING_EXTENT, {
      owner: "uint32_t",
      count: "uint32_t",
      capacity: "uint32_t",
      version: "uint32_t",
    }),
  },
  {
    name: "binding",
    bytes: BINDING_BYTES,
    source: "binding.ts",
    fields: withTypes(BINDING, {
      target: "uint32_t",
      strength: "float",
      lastUsedSeconds: "uint32_t",
      kind: "uint8_t",
      flags: "uint8_t",
      useCount: "uint16_t",
    }),
  },
  {
    name: "content_record",
    bytes: CONTENT_RECORD_HEAD_BYTES,
    source: "content-record.ts",
    fields: withTypes(CONTENT_RECORD, {
      idBytes: "uint16_t",
      tagCount: "uint16_t",
      contentBytes: "uint32_t",
      metadataBytes: "uint32_t",
      tagsBytes: "uint32_t",
    }),
  },
  {
    name: "filter",
    bytes: FILTER_HEAD_BYTES,
    source: "filter.ts",
    fields: withTypes(FILTER, {
      fromMs: "double",
      toMs: "double",
      minConfidence: "float",
      tagCount: "uint32_t",
      tagBloom: "uint64_t",
      nodeCount: "uint32_t",
      kinds: "uint32_t",
      storedToMs: "double",
    }),
  },
];

/** Plain numbers by their C name. */
export const LAYOUT_CONSTANTS: Readonly<Record<string, number>> = {
  LAYOUT_CACHE_LINE_BYTES: CACHE_LINE_BYTES,
  LAYOUT_FILTER_TAGS_MAX: FILTER_TAGS_MAX,
  LAYOUT_BINDING_UNIT_BYTES: BINDING_UNIT_BYTES,
  LAYOUT_BINDING_CHUNK_BYTES: BINDING_CHUNK_BYTES,
  ...constantsOf("LAYOUT_NODE_STATE", NODE_STATE),
  ...constantsOf("LAYOUT_NODE_KIND", NODE_KIND),
  ...constantsOf("LAYOUT_NODE_PHASE", NODE_PHASE),
  ...constantsOf("LAYOUT_BINDING_KIND", BINDING_KIND),
  ...constantsOf("LAYOUT_BINDING_FLAG", BINDING_FLAG),
  ...constantsOf("LAYOUT_QUANTIZATION", QUANTIZATION),
};

export const LAYOUT_HEADER_PATH: string = join(import.meta.dir, "../../native/layout.h");

/** The text of `native/layout.h`. */
export function layoutHeader(): string {
  const lines = [
    "/* Generated from src/layout by src/build/layout-header.ts. Change the layout there, then run it. */",
    "#ifndef ENGRAM_LAYOUT_H",
    "#define ENGRAM_LAYOUT_H",
    "",
    "#include <assert.h>",
    "#include <stddef.h>",
    "#include <stdint.h>",
    "",
    ...Object.entries(LAYOUT_CONSTANTS).map(([name, value]) => `#define ${name} ${value}`),
  ];
  for (const spec of LAYOUT_STRUCTS) lines.push("", ...structLines(spec));
  lines.push("", "/* Every offset and size, for native/layout.c: F(struct, field, name), S(struct). */");
  lines.push("#define LAYOUT_FACTS(F, S) \\");
  const facts = LAYOUT_STRUCTS.flatMap((spec) => [
    ...sortedFields(spec).map(
      ({ field }) => `    F(layout_${spec.name}, ${snake(field)}, "${spec.name}.${field}")`,
    ),
    `    S(layout_${spec.name}, "${spec.name}")`,
  ]);
  lines.push(facts.join(" \\\n"), "", "#endif", "");
  return lines.join("\n");
}

function structLines(spec: StructSpec): string[] {
  const lines = [`/* src/layout/${spec.source} */`, `struct layout_${spec.name} {`];
  let at = 0;
  let gapCount = 0;
  const fillTo = (end: number): void => {
    assert(end >= at, `the fields of ${spec.name} do not overlap`);
    if (end > at) lines.push(`    uint8_t unused_${gapCount++}[${end - at}];`);
    at = end;
  };
  for (const { field, at: fieldAt, type } of sortedFields(spec)) {
    assert(fieldAt % C_TYPE_BYTES[type] === 0, `${spec.name}.${field} is aligned to its size`);
    fillTo(fieldAt);
    lines.push(`    ${type} ${snake(field)};`);
    at += C_TYPE_BYTES[type];
  }
  fillTo(spec.bytes);
  lines.push("};");
  lines.push(`static_assert(sizeof(struct layout_${spec.name}) == ${spec.bytes}, "${spec.name}");`);
  for (const { field, at: fieldAt } of sortedFields(spec)) {
    lines.push(
      `static_assert(offsetof(struct layout_${spec.name}, ${snake(field)}) == ${fieldAt}, "${spec.name}.${field}");`,
    );
  }
  return lines;
}

function sortedFields(spec: StructSpec): { field: string; at: number; type: CType }[] {
  return Object.entries(spec.fields)
    .map(([field, { at, type }]) => ({ field, at, type }))
    .sort((a, b) => a.at - b.at);
}

function constantsOf(prefix: string, values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`${prefix}_${snake(name).toUpperCase()}`, value]),
  );
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

if (import.meta.main) {
  const text = layoutHeader();
  const stale = !Bun.file(LAYOUT_HEADER_PATH).size || readFileSync(LAYOUT_HEADER_PATH, "utf8") !== text;
  if (stale) writeFileSync(LAYOUT_HEADER_PATH, text);
  console.log(stale ? "wrote native/layout.h" : "native/layout.h is up to date");
}
