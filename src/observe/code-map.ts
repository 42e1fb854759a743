/**
 * Names addresses of code: functions of the libraries that are loaded, by the tables in their files, and for all else
 * what the mapping is that holds it. Code that no file holds was compiled from JavaScript at run time.
 *
 * An ELF file's symbols are relative to where it is loaded. `libengram.so` keeps the names of all its functions; other
 * libraries those they export, and what lies between two is given the name before it only where its size says so.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { NativeFrame } from "./profile-slice.ts";

/** Compiled JavaScript; which function it is only the runtime's own sampler knows. */
export const SCRIPT: NativeFrame = { name: "[JavaScript]", library: "" };
export const KERNEL: NativeFrame = { name: "[kernel]", library: "" };

type Mapping = { readonly start: number; readonly end: number; readonly path: string };
type Symbols = {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly names: readonly string[];
};
type Library = { readonly base: number; readonly symbols: Symbols | undefined; readonly name: string };

export type OwnLibrary = { readonly base: number; readonly path: string };

const symbolsByPath = new Map<string, Symbols | undefined>();

export class CodeMap {
  readonly #mappings: readonly Mapping[];
  readonly #own: OwnLibrary;
  readonly #libraries = new Map<string, Library>();
  readonly #frames = new Map<number, NativeFrame>();

  /** @param maps as /proc/self/maps has them @param own where our library is loaded, and its file */
  constructor(maps: string, own: OwnLibrary) {
    this.#own = own;
    this.#mappings = maps.split("\n").flatMap((line): Mapping[] => {
      const found = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)$/.exec(line);
      if (found === null) return [];
      const [, start, end, , path] = found;
      return [{ start: Number.parseInt(start!, 16), end: Number.parseInt(end!, 16), path: path! }];
    });
  }

  frameOf(address: number): NativeFrame {
    const known = this.#frames.get(address);
    if (known !== undefined) return known;
    const frame = this.#find(address);
    this.#frames.set(address, frame);
    return frame;
  }

  #find(address: number): NativeFrame {
    const mapping = this.#mappingOf(address);
    if (mapping === undefined || mapping.path === "" || mapping.path.startsWith("//anon")) return SCRIPT;
    if (mapping.path === "[vdso]") return { name: "[vdso]", library: "" };
    if (mapping.path.startsWith("[")) return SCRIPT;
    const library = this.#libraryOf(mapping.path);
    const symbol =
      library.symbols === undefined ? undefined : symbolAt(library.symbols, address - library.base);
    return { name: symbol ?? `[${library.name}]`, library: library.name };
  }

  #mappingOf(address: number): Mapping | undefined {
    let [low, high] = [0, this.#mappings.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#mappings[middle]!.start <= address) low = middle + 1;
      else high = middle;
    }
    const mapping = this.#mappings[low - 1];
    return mapping !== undefined && address < mapping.end ? mapping : undefined;
  }

  #libraryOf(path: string): Library {
    const known = this.#libraries.get(path);
    if (known !== undefined) return known;
    const base = this.#mappings.find((mapping) => mapping.path === path)!.start;
    const isOwn = base === this.#own.base;
    const file = isOwn ? this.#own.path : path.replace(/ \(deleted\)$/, "");
    const library: Library = {
      base,
      name: isOwn ? "libengram.so" : basename(file),
      // The executable itself is stripped: the few names it exports would be given to what lies between them.
      symbols: isOwn || /\.so(\.|$)/.test(file) ? symbolsOf(file) : undefined,
    };
    this.#libraries.set(path, library);
    return library;
  }
}

function symbolAt({ starts, ends, names }: Symbols, offset: number): string | undefined {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= offset) low = middle + 1;
    else high = middle;
  }
  return low > 0 && offset < ends[low - 1]! ? names[low - 1] : undefined;
}

function symbolsOf(path: string): Symbols | undefined {
  if (!symbolsByPath.has(path)) {
    let symbols: Symbols | undefined;
    try {
      symbols = readSymbols(readFileSync(path));
    } catch {
      // Gone, or not to be read by us: its code goes by the file's name.
    }
    symbolsByPath.set(path, symbols);
  }
  return symbolsByPath.get(path);
}

const SYMTAB = 2;
const DYNSYM = 11;
const FUNCTIONS: readonly number[] = [2, 10];
const SYMBOL_BYTES = 24;

/** Functions of a 64-bit little-endian ELF file, by address; undefined for any other file. */
export function readSymbols(file: Buffer): Symbols | undefined {
  if (file.length < 64 || file.readUInt32LE(0) !== 0x464c457f || file[4] !== 2 || file[5] !== 1)
    return undefined;
  const sectionsAt = Number(file.readBigUInt64LE(40));
  const sectionBytes = file.readUInt16LE(58);
  const sections = Array.from({ length: file.readUInt16LE(60) }, (_, index) => {
    const at = sectionsAt + index * sectionBytes;
    return {
      type: file.readUInt32LE(at + 4),
      at: Number(file.readBigUInt64LE(at + 24)),
      bytes: Number(file.readBigUInt64LE(at + 32)),
      link: file.readUInt32LE(at + 40),
    };
  });
  const table = sections.find(({ type }) => type === SYMTAB) ?? sections.find(({ type }) => type === DYNSYM);
  if (table === undefined) return undefined;
  const textAt = sections[table.link]!.at;
  const found: { start: number; end: number; name: string }[] = [];
  for (let at = table.at; at < table.at + table.bytes; at += SYMBOL_BYTES) {
    const start = Number(file.readBigUInt64LE(at + 8));
    const bytes = Number(file.readBigUInt64LE(at + 16));
    if (!FUNCTIONS.includes(file[at + 4]! & 15) || start === 0 || bytes === 0) continue;
    const nameAt = textAt + file.readUInt32LE(at);
    found.push({
      start,
      end: start + bytes,
      name: plainName(file.toString("latin1", nameAt, file.indexOf(0, nameAt))),
    });
  }
  found.sort((a, b) => a.start - b.start);
  return {
    starts: Float64Array.from(found, ({ start }) => start),
    ends: Float64Array.from(found, ({ end }) => end),
    names: found.map(({ name }) => name),
  };
}

/** The names in a mangled C++ name, without arguments and templates: "graph::search". */
export function plainName(mangled: string): string {
  if (!mangled.startsWith("_Z")) return mangled;
  const parts: string[] = [];
  let at = mangled.startsWith("_ZN") ? 3 : 2;
  while (at < mangled.length) {
    if (/[KVrLS]/.test(mangled[at]!)) {
      at += mangled[at] === "S" ? 2 : 1;
      continue;
    }
    const length = /^\d+/.exec(mangled.slice(at))?.[0];
    if (length === undefined) break;
    at += length.length;
    parts.push(mangled.slice(at, at + Number(length)));
    at += Number(length);
    if (!mangled.startsWith("_ZN")) break;
  }
  const named = parts.map((part) => (part.startsWith("_GLOBAL__N") ? "(anonymous)" : part));
  return named.length === 0 ? mangled : named.join("::");
}
