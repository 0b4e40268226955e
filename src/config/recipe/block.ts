/**
 * A block of a recipe that is read key by key. What nobody asked for is refused at its end.
 */

import { didYouMean } from '../../core/did-you-mean.js';
import { PipelineError } from '../../core/errors.js';
import { Reference, type Text } from './option.js';
import type { RecipeFile } from './recipe-file.js';
import { BadReference, expand, parseReferences, type Env } from './references.js';

type Path = readonly (string | number)[];

/** What all blocks of a recipe have in common. */
export interface Reading {
  readonly file: RecipeFile;
  /** Where references are looked up; without it they stay. */
  readonly env?: Env | undefined;
  /** Places of what was passed over. */
  readonly unused: string[];
}

/** The booleans that pydantic takes for a text, as it comes out of a variable. */
const BOOLEANS: Readonly<Record<string, boolean>> = {
  ...{ true: true, yes: true, on: true, '1': true, t: true, y: true },
  ...{ false: false, no: false, off: false, '0': false, f: false, n: false },
};

export class Block {
  readonly #asked = new Set<string>();
  /** Known, and refused. */
  readonly #lacked = new Set<string>();

  private constructor(
    readonly reading: Reading,
    readonly path: Path,
    private readonly values: Readonly<Record<string, unknown>>,
  ) {}

  /** @param value - no mapping is refused; nothing at all is an empty one */
  static of(reading: Reading, path: Path, value: unknown): Block {
    if (value === undefined || value === null) return new Block(reading, path, {});
    if (typeof value !== 'object' || Array.isArray(value) || value instanceof Date) {
      throw refusal(reading, path, 'must be a block of keys and values');
    }
    return new Block(reading, path, value as Readonly<Record<string, unknown>>);
  }

  /** Whether a value stands at the key: `null` is none. */
  has(key: string): boolean {
    return (this.values[key] ?? undefined) !== undefined;
  }

  keys(): string[] {
    return Object.keys(this.values);
  }

  block(key: string): Block {
    return Block.of(this.reading, [...this.path, key], this.#take(key));
  }

  /** The blocks of a list. */
  blocks(key: string): Block[] {
    return this.#list(key).map((each, index) =>
      Block.of(this.reading, [...this.path, key, index], each),
    );
  }

  text(key: string): Text | undefined {
    const value = this.#take(key);
    return value === undefined ? undefined : this.#text([...this.path, key], value);
  }

  /** A text that is not empty: `token: ${TOKEN:-}` is no token. */
  filled(key: string): Text | undefined {
    const text = this.text(key);
    return text === '' ? undefined : text;
  }

  required(key: string): Text {
    const text = this.filled(key);
    if (text === undefined) throw this.refuse(undefined, `"${key}" is missing`);
    return text;
  }

  texts(key: string): Text[] {
    return this.#list(key).map((each, index) => this.#text([...this.path, key, index], each));
  }

  /** Texts by name: `source_mapping_to_platform`. */
  textsByName(key: string): Record<string, Text> | undefined {
    if (!this.has(key)) return undefined;
    const block = this.block(key);
    return Object.fromEntries(block.keys().map((name) => [name, block.text(name) ?? '']));
  }

  /** A text that has to be known here: a mode, a type. */
  word(key: string): string | undefined {
    const text = this.filled(key);
    if (text instanceof Reference) throw this.#unknowable(key);
    return text;
  }

  flag(key: string): boolean | undefined {
    const value = this.#take(key);
    if (value === undefined || typeof value === 'boolean') return value;
    const known = BOOLEANS[this.#literal(key, value).toLowerCase()];
    if (known === undefined) throw this.refuse(key, 'must be true or false');
    return known;
  }

  number(key: string): number | undefined {
    const value = this.#take(key);
    if (value === undefined || typeof value === 'number') return value;
    const text = this.#literal(key, value).trim();
    const number = Number(text);
    if (text === '' || !Number.isFinite(number)) throw this.refuse(key, 'must be a number');
    return number;
  }

  percent(key: string): number | undefined {
    const number = this.number(key);
    if (number === undefined || (number >= 0 && number <= 100)) return number;
    throw this.refuse(key, 'must be a number from 0 to 100');
  }

  /** Passes over keys that have no meaning here, and do no harm. */
  pass(...keys: readonly string[]): void {
    for (const key of keys) {
      this.#asked.add(key);
      if (Object.hasOwn(this.values, key)) this.reading.unused.push(this.placeOf(key));
    }
  }

  /** Takes a flag that is had in one position only. */
  only(key: string, wanted: boolean, advice: string): void {
    const flag = this.flag(key);
    if (flag !== undefined && flag !== wanted) throw this.refuse(key, advice);
  }

  /** Refuses keys that people may have, with what to do instead. */
  lacks(advice: Readonly<Record<string, string>>): void {
    for (const [key, instead] of Object.entries(advice)) {
      this.#lacked.add(key);
      if (this.has(key)) throw this.refuse(key, `is not had here: ${instead}`);
    }
  }

  /** Call it when all keys have been asked for. */
  end(): void {
    const unknown = this.keys().find((key) => !this.#asked.has(key) && !this.#lacked.has(key));
    if (unknown === undefined) return;
    const allowed = [...this.#asked];
    const meant = didYouMean(unknown, allowed);
    const hint = meant === undefined ? '.' : `, did you mean "${meant}"?`;
    throw this.refuse(
      unknown,
      `is not known here${hint} Take it out of the recipe. Known: ${allowed.join(', ')}`,
    );
  }

  placeOf(key?: string): string {
    return this.reading.file.placeOf(key === undefined ? this.path : [...this.path, key]);
  }

  refuse(key: string | undefined, problem: string): PipelineError {
    return refusal(this.reading, key === undefined ? this.path : [...this.path, key], problem);
  }

  #take(key: string): unknown {
    this.#asked.add(key);
    // Never of a prototype: `constructor` is a key like any other.
    return Object.hasOwn(this.values, key) ? (this.values[key] ?? undefined) : undefined;
  }

  #list(key: string): readonly unknown[] {
    const value = this.#take(key) ?? [];
    if (!Array.isArray(value)) throw this.refuse(key, 'must be a list');
    return value as readonly unknown[];
  }

  #text(path: Path, value: unknown): Text {
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    if (typeof value !== 'string') throw refusal(this.reading, path, 'must be a text');
    try {
      const text = parseReferences(value);
      return this.reading.env === undefined ? text : expand(text, this.reading.env);
    } catch (error) {
      if (!(error instanceof BadReference)) throw error;
      throw refusal(this.reading, path, error.message);
    }
  }

  #literal(key: string, value: unknown): string {
    const text = this.#text([...this.path, key], value);
    if (text instanceof Reference) throw this.#unknowable(key);
    return text;
  }

  #unknowable(key: string): PipelineError {
    return this.refuse(
      key,
      'is a variable where the value has to be known: write the value itself into the recipe',
    );
  }
}

function refusal({ file }: Reading, path: Path, problem: string): PipelineError {
  return new PipelineError(`${file.placeOf(path)}${path.length === 0 ? ':' : ''} ${problem}`, {
    code: 'BAD_RECIPE',
    category: 'usage',
  });
}
