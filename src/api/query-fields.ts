/** Turns a query string into the fields of a contract: numbers and flags from text, repeated names into arrays. */
import { RequestError } from "../base/errors.ts";

export type FieldForm = "text" | "number" | "flag" | "texts" | "time";

/**
 * @param forms what each field of the contract is; other names stay as they are, for the contract to refuse
 * @throws {RequestError} `request-invalid` for a field that is given twice, or is no number where one belongs
 */
export function queryFields(
  query: string,
  forms: Readonly<Record<string, FieldForm>>,
): Record<string, unknown> {
  // Without a prototype, so that a field named "__proto__" is a field like others, and refused.
  const fields: Record<string, unknown> = Object.create(null);
  if (query === "") return fields;
  for (const [name, value] of new URLSearchParams(query)) {
    const form = Object.hasOwn(forms, name) ? forms[name] : undefined;
    if (form === "texts") {
      const before = fields[name] as string[] | undefined;
      if (before === undefined) fields[name] = [value];
      else before.push(value);
      continue;
    }
    if (Object.hasOwn(fields, name)) throw wrong(name, "given once", "given several times");
    fields[name] = fieldValue(name, value, form);
  }
  return fields;
}

function fieldValue(name: string, value: string, form: FieldForm | undefined): unknown {
  switch (form) {
    case "number":
      if (!isNumber(value)) throw wrong(name, "a number", JSON.stringify(value.slice(0, 64)));
      return Number(value);
    case "time":
      return isNumber(value) ? Number(value) : value;
    case "flag":
      if (value === "true" || value === "1" || value === "") return true;
      if (value === "false" || value === "0") return false;
      throw wrong(name, "true or false", JSON.stringify(value.slice(0, 64)));
    default:
      return value;
  }
}

function isNumber(value: string): boolean {
  return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value);
}

function wrong(name: string, expected: string, received: string): RequestError {
  return new RequestError({
    code: "request-invalid",
    message: `The query does not match its contract: ${name} should be ${expected}, and is ${received}`,
    at: name,
    expected,
    received,
  });
}
