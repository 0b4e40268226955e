/**
 * What the readers of all kinds of entities share.
 *
 * Readers make of files what MLflow's server makes of them, its JSON, and have that read as if a
 * server had sent it: then both ways give the same entities and the same rejections.
 */

import type { EntityReader } from '../../mlflow/parse.js';
import { readItem } from '../../mlflow/parse.js';
import type { Rejection } from '../../stream/contracts.js';
import type { StorePage } from '../store.js';
import { BrokenFile } from './broken-file.js';

/** An entity, what is wrong with it, or neither, where there is none any more. */
export type Outcome<T> =
  | { readonly item: T; readonly rejection?: undefined }
  | { readonly item?: undefined; readonly rejection: Rejection }
  | undefined;

/**
 * Reads one entity; a file of it that can't be used makes a rejection.
 *
 * @param name - what to call it, by its folder: what is in it may be broken
 * @param toJson - gives MLflow's JSON, or nothing for what is none or has vanished
 */
export async function readEntity<T>(
  reader: EntityReader<T>,
  name: string,
  toJson: () => Promise<unknown>,
): Promise<Outcome<T>> {
  try {
    const json = await toJson();
    return json === undefined ? undefined : readItem(reader, json);
  } catch (error) {
    if (!(error instanceof BrokenFile)) throw error;
    return { rejection: rejectionOf(error, reader.malformed, `${reader.noun} ${name}`) };
  }
}

export function rejectionOf(error: BrokenFile, code: string, identity: string): Rejection {
  return {
    kind: 'record',
    code,
    message: `${identity} can't be used: ${error.message}`,
    identity,
    content: error.content ?? null,
  };
}

export function pageOf<T>(outcomes: readonly Outcome<T>[]): StorePage<T> {
  const items: T[] = [];
  const rejected: Rejection[] = [];
  for (const outcome of outcomes) {
    if (outcome?.item !== undefined) items.push(outcome.item);
    else if (outcome?.rejection !== undefined) rejected.push(outcome.rejection);
  }
  return { items, rejected };
}

export function isEmpty({ items, rejected }: StorePage<unknown>): boolean {
  return items.length === 0 && rejected.length === 0;
}

/** The server leaves out a time of 0. */
export function timeOf(value: unknown): unknown {
  return value === '0' ? null : value;
}

/** What no two folders share, and no path can be hidden in. */
export function isOneName(name: string): boolean {
  return !/[/\\\0]/.test(name) && name !== '' && name !== '.' && name !== '..';
}
