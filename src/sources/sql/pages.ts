/**
 * What the readers of all kinds of entities share: pages by key, and tags of a page.
 *
 * Readers make of rows what MLflow's server makes of them, its JSON, and have that read as if a
 * server had sent it: then both ways give the same entities and the same rejections.
 */

import type { EntityReader } from '../../mlflow/parse.js';
import { readItem } from '../../mlflow/parse.js';
import type { Rejection } from '../../stream/contracts.js';
import { PageSize } from '../page-size.js';
import type { StorePage } from '../store.js';
import type { Cell, Parameter, Reading, Row, SqlDatabase } from './query.js';

/** Code of a PipelineError: fewer things may be read. */
export const PAGE_TOO_LARGE = 'SOURCE_PAGE_TOO_LARGE';

/** Where the next page begins: the key of the last row, as parameters of its query. */
export type Cursor = readonly Parameter[];

export interface KeyedPage<T> {
  readonly page: StorePage<T>;
  /** Absent after the last page. */
  readonly next?: Cursor;
}

/** Reads the page of so many after a key, or the first one. */
export type PageReader<T> = (after: Cursor | undefined, pageSize: number) => Reading<KeyedPage<T>>;

/**
 * All pages, or those after `start`, each read when it is asked for, with nothing held open between
 * two of them. They hold fewer things than `largestPage` where these are large.
 */
export async function* keyedPages<T>(
  database: SqlDatabase,
  read: PageReader<T>,
  largestPage: number,
  start?: Cursor,
): AsyncGenerator<StorePage<T>> {
  const size = new PageSize(largestPage);
  let after = start;
  do {
    const { found, length } = await readSmaller(database, size, (pageSize) =>
      read(after, pageSize),
    );
    const { page, next } = found;
    const things = page.items.length + page.rejected.length;
    size.saw(things, length);
    if (things > 0) yield page;
    after = next;
  } while (after !== undefined);
}

/** Half as much each time, where it is more than the database or this process can put into one text. */
async function readSmaller<T>(
  database: SqlDatabase,
  size: PageSize,
  read: (pageSize: number) => Reading<T>,
): Promise<Measured<T>> {
  for (;;) {
    try {
      return await database.read(() => measured(read(size.current)));
    } catch (error) {
      if (!isTooLarge(error) || size.current === 1) throw error;
      size.halve();
    }
  }
}

/** PostgreSQL's limit is 1 GiB, that of V8 half of it. */
function isTooLarge(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === PAGE_TOO_LARGE || code === 'ERR_STRING_TOO_LONG';
}

interface Measured<T> {
  readonly found: T;
  readonly length: number;
}

/** With the length of all texts that were read for it. */
function* measured<T>(reading: Reading<T>): Reading<Measured<T>> {
  let length = 0;
  let step = reading.next();
  while (step.done !== true) {
    const rows = yield step.value;
    for (const row of rows) {
      for (const cell of row) if (typeof cell === 'string') length += cell.length;
    }
    step = reading.next(rows);
  }
  return { found: step.value, length };
}

/** Entities out of MLflow's JSON. */
export function parsePage<T>(reader: EntityReader<T>, list: readonly unknown[]): StorePage<T> {
  const items: T[] = [];
  const rejected: Rejection[] = [];
  for (const json of list) {
    const { item, rejection } = readItem(reader, json);
    if (rejection === undefined) items.push(item);
    else rejected.push(rejection);
  }
  return { items, rejected };
}

export interface TagJson {
  readonly key: Cell;
  readonly value: Cell;
}

/** A tag or a parameter. The server leaves a value out that is NULL, which reads as empty. */
export function tagJson(key: Cell | undefined, value: Cell | undefined): TagJson {
  return { key: key ?? null, value: value ?? '' };
}

/** Lists by the id of what they belong to. */
export class Lists<T> {
  readonly #lists = new Map<string, T[]>();

  add(id: string, item: T): void {
    const list = this.#lists.get(id);
    if (list === undefined) this.#lists.set(id, [item]);
    else list.push(item);
  }

  of(id: string): readonly T[] {
    return this.#lists.get(id) ?? [];
  }
}

/** First and last of the rows of a page. */
export function ends(rows: readonly Row[]): readonly [Row, Row] | undefined {
  const first = rows[0];
  const last = rows.at(-1);
  return first === undefined || last === undefined ? undefined : [first, last];
}
