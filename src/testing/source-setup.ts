/**
 * What the source kit works on, and how it looks at it.
 */

import { recordKey, type RecordKey } from '../mlflow/record-key.js';
import { RECORD_KINDS, type MlflowRecord, type RecordKind } from '../mlflow/records.js';
import type { OpenSource, Page, RunContext, Source } from '../stream/contracts.js';
import { runContext } from './run-context.js';
import { verify } from './verify.js';

/** A source and a store that nobody changes meanwhile. */
export interface SourceSetup {
  /**
   * It should give several pages of runs, versions that came from runs, a run that has not ended, and
   * runs that started at different times.
   */
  readonly source: Source;
  /** Called after the check, passed or not. */
  readonly dispose?: () => Promise<void> | void;
}

export interface SourceCheck {
  readonly name: string;
  run(setup: SourceSetup): Promise<void>;
}

/** Does something with the source open, which is closed in any case. */
export async function whileOpen<T>(
  { source }: SourceSetup,
  use: (open: OpenSource, context: RunContext) => Promise<T>,
  parts: Partial<RunContext> = {},
): Promise<T> {
  const context = runContext(parts);
  const open = await source.open(context);
  try {
    return await use(open, context);
  } finally {
    await open.close();
  }
}

export async function pagesOf<T>(pages: AsyncIterable<Page<T>>): Promise<readonly Page<T>[]> {
  const all: Page<T>[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

/** Everything that a source gives, as it comes. */
export async function readAll(
  open: OpenSource,
  kinds: readonly RecordKind[] = RECORD_KINDS,
): Promise<readonly MlflowRecord[]> {
  const pages = await pagesOf(open.read({ kinds: new Set(kinds) }));
  return pages.flatMap(({ records }) => records);
}

/** Keys of all that MLflow could delete. */
export function keysOf(records: readonly MlflowRecord[]): readonly RecordKey[] {
  return records.flatMap((record) => recordKey(record) ?? []);
}

/** Verifies that two lists hold the same, where `what` is called so in the message. */
export function verifyEqual(
  found: readonly unknown[],
  expected: readonly unknown[],
  what: string,
): void {
  const [left, right] = [found, expected].map((list) => list.map((each) => JSON.stringify(each)));
  const at = expected.findIndex((_, index) => left?.[index] !== right?.[index]);
  verify(
    at < 0 && found.length === expected.length,
    `${what}: ${found.length} instead of ${expected.length}; at place ${at}: ` +
      `${left?.[at] ?? 'nothing'} instead of ${right?.[at] ?? 'nothing'}`,
  );
}
