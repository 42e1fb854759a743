/** A figure that was measured, or the reason why it could not be. Never a guess in its place. */
export type Fact<T> = { readonly value: T } | { readonly unavailable: string };

export function known<T>(value: T): Fact<T> {
  return { value };
}

export function unavailable(reason: string): { readonly unavailable: string } {
  return { unavailable: reason };
}

/** The value, where it was measured. */
export function factValue<T>(fact: Fact<T>): T | undefined {
  return "value" in fact ? fact.value : undefined;
}

/** The fact made from another; what is unavailable stays so, and a read that fails says why. */
export function mapFact<T, U>(fact: Fact<T>, read: (value: T) => U | undefined, otherwise: string): Fact<U> {
  if (!("value" in fact)) return fact;
  const value = read(fact.value);
  return value === undefined ? unavailable(otherwise) : known(value);
}
