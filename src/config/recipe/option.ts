/**
 * What a recipe is translated into: calls of this package's factories, with options that may hold
 * references to variables. They are either made or printed.
 */

/** `${NAME}` in a recipe. */
export interface Variable {
  readonly name: string;
  /** What stands in where it is not set; absent: that is an error. */
  readonly fallback?: string;
  /** Whether the fallback stands in for an empty value, too. */
  readonly orEmpty?: boolean;
}

/** A text with variables in it, which have not been looked up. */
export class Reference {
  constructor(readonly parts: readonly (string | Variable)[]) {}
}

/** Something worked out of a reference when the written configuration runs. */
export class Derived {
  /**
   * @param code - what is called on the text: `.split(',')`
   * @param name - of the whole text, where it is a secret and its parts have other names
   */
  constructor(
    readonly of: Reference,
    readonly code: string,
    readonly name?: string,
  ) {}
}

export type Text = string | Reference;

/** A factory of this package, and what it is called with. */
export class Call {
  constructor(
    readonly factory: string,
    readonly argument: Option | undefined,
    /** For messages: `recipe.yml:3:5: source.config`. */
    readonly place: string,
  ) {}
}

export type Option =
  | Text
  | Derived
  | Call
  | number
  | boolean
  | readonly Option[]
  | { readonly [name: string]: Option | undefined };

/** A recipe as a pipeline of this package. */
export interface Translation {
  readonly source: Call;
  readonly operators: readonly Call[];
  readonly sinks: readonly Call[];
  readonly state: Option | undefined;
  /** Places of what has no meaning here, and does no harm. */
  readonly unused: readonly string[];
}

/** Without the keys that are undefined; undefined where nothing is left. */
export function given(options: Readonly<Record<string, Option | undefined>>): Option | undefined {
  const set = Object.entries(options).filter(([, value]) => value !== undefined);
  return set.length === 0 ? undefined : Object.fromEntries(set);
}
