/**
 * Contracts: a zod schema is the one description of what a call takes and answers.
 *
 * Checking a body with zod took 4.4 µs on the machine of `docs/decisions/api-framework.md`, as long as
 * parsing it. So a quick check is compiled from the JSON Schema that zod derives from the contract: closures over
 * plain comparisons. It only ever says "surely valid"; when it can not say so, zod decides and names what is wrong.
 * A keyword that it does not know makes it say no, so a contract can never be looser than its zod schema.
 *
 * Contracts hold no transforms and no defaults: what is checked is what is used.
 */
import { z } from "zod";
import { assert } from "../base/assert.ts";
import { RequestError } from "../base/errors.ts";

export type JsonSchema = {
  readonly type?: string;
  readonly nullable?: boolean;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly [keyword: string]: unknown;
};

/** One thing that does not match its contract. */
export type Mismatch = { readonly at: string; readonly expected: string; readonly received: string };

/** A request that does not match its contract, with every mismatch. */
export class ContractError extends RequestError {
  readonly mismatches: readonly Mismatch[];

  constructor(what: string, mismatches: readonly Mismatch[]) {
    const first = mismatches[0];
    assert(first !== undefined, "a request is refused for a reason");
    const more = mismatches.length > 1 ? `, and ${mismatches.length - 1} more` : "";
    super({
      code: "request-invalid",
      message: `${what} does not match its contract: ${first.at === "" ? "it" : first.at} should be ${first.expected}, and is ${first.received}${more}`,
      at: first.at,
      expected: first.expected,
      received: first.received,
    });
    this.mismatches = mismatches;
  }
}

/** A compiled contract. */
export class Contract<S extends z.ZodType> {
  readonly schema: S;
  /** as OpenAPI 3.0 writes it */
  readonly jsonSchema: JsonSchema;
  readonly #surelyValid: (value: unknown) => boolean;

  constructor(schema: S) {
    this.schema = schema;
    this.jsonSchema = jsonSchemaOf(schema);
    this.#surelyValid = compile(this.jsonSchema);
  }

  /**
   * @param what the part of the request, for the message: "The body"
   * @param at where it is in the request, as `memories[3]`; empty for the whole
   * @throws {ContractError} when `value` does not match
   */
  check(value: unknown, what: string, at = ""): z.output<S> {
    if (this.#surelyValid(value)) return value as z.output<S>;
    const checked = this.schema.safeParse(value);
    // The value itself, not the copy that zod makes: contracts change nothing.
    if (checked.success) return value as z.output<S>;
    throw new ContractError(
      what,
      checked.error.issues.map((issue) => mismatchOf(issue, value, at)),
    );
  }

  /** Whether the quick check alone accepts `value`; for the test that holds it against zod. */
  surelyValid(value: unknown): boolean {
    return this.#surelyValid(value);
  }
}

/** The JSON Schema of a zod schema, in the dialect of OpenAPI 3.0. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    target: "openapi-3.0",
    io: "input",
    unrepresentable: "throw",
    // zod bounds whole numbers by what a double counts exactly, which tells a reader nothing.
    override: ({ jsonSchema }) => {
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  }) as JsonSchema;
}

/** What a value is, in words, without showing more than a little of it. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "absent";
  if (value === null) return "null";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object") return `an object with ${Object.keys(value).length} fields`;
  if (typeof value === "string") {
    return value.length <= 64 ? JSON.stringify(value) : `a text of ${value.length} characters`;
  }
  return `${typeof value} ${String(value)}`;
}

/** A path as it is written in JavaScript: `memories[3].tags[0]`. */
export function pathText(start: string, path: readonly PropertyKey[]): string {
  let text = start;
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_$][\w$]*$/.test(String(step))) text += text === "" ? String(step) : `.${String(step)}`;
    else text += `[${JSON.stringify(String(step).slice(0, 64))}]`;
  }
  return text;
}

type Check = (value: unknown) => boolean;

const KNOWN_KEYWORDS = new Set([
  ...[
    "type",
    "nullable",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "anyOf",
    "enum",
    "pattern",
  ],
  ...[
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "description",
    "title",
    "format",
  ],
]);

function compile(schema: JsonSchema): Check {
  for (const keyword of Object.keys(schema)) if (!KNOWN_KEYWORDS.has(keyword)) return () => false;
  const check = compileType(schema);
  return schema.nullable === true ? (value) => value === null || check(value) : check;
}

function compileType(schema: JsonSchema): Check {
  if (schema.anyOf !== undefined) {
    const checks = schema.anyOf.map(compile);
    return (value) => checks.some((check) => check(value));
  }
  if (schema.enum !== undefined) {
    const values = new Set(schema.enum);
    return (value) => values.has(value);
  }
  switch (schema.type) {
    case "string":
      return compileString(schema);
    case "number":
    case "integer":
      return compileNumber(schema);
    case "boolean":
      return (value) => typeof value === "boolean";
    case "array":
      return compileArray(schema);
    case "object":
      return compileObject(schema);
    case undefined:
      return Object.keys(schema).every((keyword) => keyword === "description") ? () => true : () => false;
    default:
      return () => false;
  }
}

function compileString(schema: JsonSchema): Check {
  const min = Number(schema["minLength"] ?? 0);
  const max = Number(schema["maxLength"] ?? Number.POSITIVE_INFINITY);
  const pattern = schema.pattern === undefined ? undefined : new RegExp(schema.pattern);
  if (pattern === undefined)
    return (value) => typeof value === "string" && value.length >= min && value.length <= max;
  return (value) =>
    typeof value === "string" && value.length >= min && value.length <= max && pattern.test(value);
}

function compileNumber(schema: JsonSchema): Check {
  const min = Number(schema["minimum"] ?? -Number.MAX_VALUE);
  const max = Number(schema["maximum"] ?? Number.MAX_VALUE);
  if (schema.type === "integer")
    return (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
  // A number beyond these bounds, and NaN, fails one of the two comparisons.
  return (value) => typeof value === "number" && value >= min && value <= max;
}

function compileArray(schema: JsonSchema): Check {
  const min = Number(schema["minItems"] ?? 0);
  const max = Number(schema["maxItems"] ?? Number.POSITIVE_INFINITY);
  const item = compile(schema.items ?? {});
  return (value) => {
    if (!Array.isArray(value) || value.length < min || value.length > max) return false;
    for (let i = 0; i < value.length; i++) if (!item(value[i])) return false;
    return true;
  };
}

function compileObject(schema: JsonSchema): Check {
  const checks: Record<string, Check> = Object.create(null);
  for (const [name, child] of Object.entries(schema.properties ?? {})) checks[name] = compile(child);
  const required = schema.required ?? [];
  const others = schema.additionalProperties;
  const open = others === true || (typeof others === "object" && Object.keys(others).length === 0);
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    const fields = value as Record<string, unknown>;
    for (const name in fields) {
      const check = checks[name];
      if (check === undefined) {
        if (!open) return false;
      } else if (!check(fields[name])) return false;
    }
    for (let i = 0; i < required.length; i++) if (!Object.hasOwn(fields, required[i]!)) return false;
    return true;
  };
}

type Issue = z.core.$ZodIssue;

function mismatchOf(issue: Issue, root: unknown, start: string): Mismatch {
  if (issue.code === "unrecognized_keys") {
    const name = issue.keys[0] ?? "";
    return {
      at: pathText(start, [...issue.path, name]),
      expected: "absent: the contract has no such field",
      received: describeValue(valueAt(root, [...issue.path, name])),
    };
  }
  const meant = issue.code === "invalid_union" && !hasOwnWords(issue) ? meantOption(issue) : undefined;
  if (meant !== undefined) return mismatchOf({ ...meant, path: [...issue.path, ...meant.path] }, root, start);
  return {
    at: pathText(start, issue.path),
    expected: expectedText(issue),
    received: describeValue(valueAt(root, issue.path)),
  };
}

/**
 * What is wrong within the one option of a union that takes values of this type: `{"p": ""}` meant the text that
 * may not be empty, not the number. Undefined where no option takes them, or several do.
 */
function meantOption(issue: z.core.$ZodIssueInvalidUnion): Issue | undefined {
  const meant = issue.errors.filter(([first]) => first?.code !== "invalid_type" || first.path.length > 0);
  return meant.length === 1 ? meant[0]![0] : undefined;
}

/** Whether a contract says what it expects in its own words (`error: "expected …"`), which have the last say. */
function hasOwnWords(issue: Issue): boolean {
  return issue.message.startsWith("expected ");
}

/** What was expected, in words. */
function expectedText(issue: Issue): string {
  if (hasOwnWords(issue)) return issue.message.slice("expected ".length);
  switch (issue.code) {
    case "invalid_union": {
      const options = issue.errors.flatMap(([first]) => (first === undefined ? [] : [expectedText(first)]));
      return options.length === 0 ? issue.message : [...new Set(options)].join(" or ");
    }
    case "invalid_type":
      return TYPE_TEXT[issue.expected] ?? issue.expected;
    case "too_small":
      return boundText(
        issue.origin,
        issue.inclusive === false ? "more than" : "at least",
        String(issue.minimum),
      );
    case "too_big":
      return boundText(
        issue.origin,
        issue.inclusive === false ? "less than" : "at most",
        String(issue.maximum),
      );
    case "invalid_value":
      return `one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    default:
      return issue.message;
  }
}

const TYPE_TEXT: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a finite number",
  int: "a whole number",
  boolean: "true or false",
  array: "an array",
  object: "an object",
  record: "an object",
};

function boundText(origin: string, bound: string, count: string): string {
  if (origin === "string") return `a text of ${bound} ${count} ${count === "1" ? "character" : "characters"}`;
  if (origin === "array") return `an array of ${bound} ${count}`;
  return `${bound} ${count}`;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}
