import { CString, type Pointer, ptr } from "bun:ffi";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { LAYOUT_HEADER_PATH, LAYOUT_STRUCTS, layoutHeader } from "../../src/build/layout-header.ts";
import { openShim } from "../../src/ffi/library.ts";

const shim = openShim({ shim_layout_fact: { args: ["u32", "ptr", "ptr"], returns: "i32" } });

function compiledFacts(): Map<string, number> {
  const name = new BigUint64Array(1);
  const value = new BigUint64Array(1);
  const facts = new Map<string, number>();
  for (let index = 0; shim.shim_layout_fact(index, ptr(name), ptr(value)) === 0; index++) {
    facts.set(new CString(Number(name[0]) as Pointer).toString(), Number(value[0]));
  }
  return facts;
}

test("native/layout.h is what src/layout says now", () => {
  expect(readFileSync(LAYOUT_HEADER_PATH, "utf8"), "run: bun src/build/layout-header.ts").toBe(
    layoutHeader(),
  );
});

test("the compiled library has every offset and size of src/layout", () => {
  const declared = new Map<string, number>();
  for (const { name, bytes, fields } of LAYOUT_STRUCTS) {
    for (const [field, { at }] of Object.entries(fields)) declared.set(`${name}.${field}`, at);
    declared.set(name, bytes);
  }
  expect(compiledFacts()).toEqual(declared);
});
