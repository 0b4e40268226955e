/**
 * Checks of the values in MLflow's JSON: tolerant of what servers really send, strict about what
 * can't be what it should be. Written by hand, since a page holds a hundred thousand of them.
 */

import type { KeyValue } from './types.js';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Why an item can't be used. Never leaves this folder: it becomes a `Rejection`. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

/** An object; anything else is malformed. */
export function object(value: unknown, name: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw wrong(name, 'an object', value);
}

/** A list; absent and null count as empty. */
export function list(value: unknown, name: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value as readonly unknown[];
  throw wrong(name, 'a list', value);
}

/** A text; absent, null and empty mean that there is none. */
export function optionalText(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw wrong(name, 'a text', value);
}

/** A text that must be there. A whole number counts: some servers send ids as such. */
export function requiredText(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '') return value;
  if (Number.isSafeInteger(value)) return String(value);
  throw wrong(name, 'a text that is not empty', value);
}

/** The value of a tag or parameter: absent is empty. */
export function anyText(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  if (value === undefined) return '';
  throw wrong(name, 'a text', value);
}

/** An int64: a JSON number, or a text of digits. Absent and null mean that there is none. */
export function optionalInteger(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const number = typeof value === 'string' && /^[+-]?\d+$/.test(value) ? Number(value) : value;
  // Past 2^53 it would not go out as it came in.
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  throw wrong(name, 'a whole number below 2^53', value);
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A double: a JSON number, its text, or one of the words that JSON has no number for. */
export function double(value: unknown, name: string): number {
  if (typeof value === 'number') return value;
  switch (value) {
    case 'NaN':
      return NaN;
    case 'Infinity':
      return Infinity;
    case '-Infinity':
      return -Infinity;
    default:
      if (typeof value === 'string' && NUMBER.test(value)) return Number(value);
      throw wrong(name, 'a number', value);
  }
}

/** A model version's number, as text. */
export function versionNumber(value: unknown, name: string): string {
  const text = requiredText(value, name);
  if (/^\d+$/.test(text)) return text;
  throw wrong(name, 'a whole number', value);
}

/** Tags or parameters, sorted by key. */
export function keyValues(value: unknown, name: string): readonly KeyValue[] {
  const items = list(value, name);
  if (items.length === 0) return NONE;
  const pairs: KeyValue[] = [];
  for (const item of items) {
    const { key, value: text } = object(item, `an item of ${name}`);
    pairs.push({
      key: requiredText(key, `a key of ${name}`),
      value: anyText(text, `a value of ${name}`),
    });
  }
  return sortedByKey(pairs);
}

const NONE: readonly never[] = [];

/**
 * Sorts by key, in code-unit order, in place. Of those with the same key the last one stays.
 */
export function sortedByKey<T extends { readonly key: string }>(items: T[]): readonly T[] {
  if (!inOrder(items)) items.sort((a, b) => compareText(a.key, b.key));
  let kept = 0;
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    if (item === undefined || item.key === items[index + 1]?.key) continue;
    items[kept] = item;
    kept += 1;
  }
  items.length = kept;
  return items;
}

function inOrder(items: readonly { readonly key: string }[]): boolean {
  let last = '';
  for (const { key } of items) {
    if (key < last) return false;
    last = key;
  }
  return true;
}

/** Code-unit order, the same in every language setting. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Version numbers as text of any length, compared as numbers. */
export function compareVersions(a: string, b: string): number {
  const left = a.replace(/^0+(?=\d)/, '');
  const right = b.replace(/^0+(?=\d)/, '');
  return left.length - right.length || compareText(left, right);
}

function wrong(name: string, expected: string, value: unknown): MalformedError {
  const found =
    value === undefined
      ? 'missing'
      : value === null
        ? 'null'
        : Array.isArray(value)
          ? 'a list'
          : value === ''
            ? 'an empty text'
            : `a ${typeof value}`;
  return new MalformedError(`${name} should be ${expected}, and is ${found}`);
}
