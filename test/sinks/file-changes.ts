/**
 * A file sink in runs with state, and what such runs left.
 */

import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { JsonValue, Proposal } from '../../src/datahub/proposal.js';
import { fileSink } from '../../src/sinks/file/file-sink.js';
import type { OpenSink, RunContext } from '../../src/stream/contracts.js';
import { runContext } from '../../src/testing/index.js';
import { proposalsIn, textOf } from './delivered.js';

export const FORMATS = ['.json', '.ndjson', '.jsonl', '.json.gz', '.ndjson.gz', '.jsonl.gz'];

/** What the sink leaves in the state; a type, so that it is JSON as well. */
// eslint-disable-next-line @typescript-eslint/consistent-type-definitions
export type Position = {
  readonly file: string;
  readonly partial: string;
  readonly bytes: number;
  readonly proposals: number;
};

/** Opens the sink for a path in a run with state. */
export function openChanges(
  path: string,
  position?: JsonValue,
  parts: Partial<RunContext> = {},
): Promise<OpenSink> {
  return fileSink({ path }).open(
    runContext(parts),
    position === undefined ? {} : { position: JSON.parse(JSON.stringify(position)) as JsonValue },
  );
}

/** As it comes back from the state. */
export function positionOf(open: OpenSink): Position {
  const position = open.position?.();
  if (position === undefined) throw new Error('there is no position');
  return JSON.parse(JSON.stringify(position)) as Position;
}

/** The proposals in every file of changes beside a path, complete or not, oldest first. */
export function changesBeside(path: string): Proposal[] {
  const [stem = ''] = basename(path).split('.');
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(`${stem}.`) && name !== basename(path))
    .sort()
    .flatMap((name) => proposalsIn(textOf(join(dirname(path), name))));
}

/** Whole, as a reader of its format reads it. */
export function wellFormed(path: string): Proposal[] {
  const text = textOf(path);
  if (/\.json(\.gz)?$/.test(path)) {
    const all = JSON.parse(text) as unknown[];
    const lines = proposalsIn(text);
    if (all.length !== lines.length) throw new Error('not a proposal a line');
    return lines;
  }
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end');
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => proposalsIn(line));
}
