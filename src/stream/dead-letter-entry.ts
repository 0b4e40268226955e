/**
 * A line of the dead-letter file.
 */

import { inspect } from 'node:util';
import { withoutLineBreaks } from '../datahub/proposal-json.js';
import type { RecordOrigin, Rejection } from './contracts.js';

export interface DeadLetterEntry extends Rejection {
  /** When it was rejected: ISO 8601, UTC. */
  readonly time: string;
  /** The run that rejected it. */
  readonly runId: string;
}

/** The line, without its end. Never throws. */
export function formatEntry(entry: DeadLetterEntry): string {
  const { time, runId, kind, code, message, identity, sink, attempts, origin, content } = entry;
  const head = { time, runId, kind, code, message, identity, sink, attempts, origin };
  // The content apart, so that no content can spoil the reason.
  const json = `${jsonOfAnything(head).slice(0, -1)},"content":${jsonOfAnything(content)}}`;
  return withoutLineBreaks(json);
}

/** What a line says; nothing where it is no such line, for example one that was cut off. */
export function parseEntry(line: string): DeadLetterEntry | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const { time, runId, kind, code, message, identity, sink, attempts, origin, content } =
    json as Record<string, unknown>;
  if (kind !== 'record' && kind !== 'proposal') return undefined;
  return {
    time: textOf(time),
    runId: textOf(runId),
    kind,
    code: textOf(code),
    message: textOf(message),
    identity: textOf(identity),
    content,
    ...(typeof sink === 'string' ? { sink } : {}),
    ...(typeof attempts === 'number' ? { attempts } : {}),
    ...(isOrigin(origin) ? { origin } : {}),
  };
}

function isOrigin(value: unknown): value is RecordOrigin {
  return typeof value === 'object' && value !== null && 'server' in value;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const WHOLE = { depth: 8, breakLength: Infinity, maxArrayLength: null, maxStringLength: null };

/** JSON of whatever was given, as near to it as JSON allows. Never throws. */
function jsonOfAnything(value: unknown): string {
  const attempts: readonly (() => string | undefined)[] = [
    () => JSON.stringify(value, withoutOddValues),
    () => JSON.stringify(value, withoutCycles()),
    // A getter that throws, or nested too deep: at least what it looks like.
    () => JSON.stringify(inspect(value, WHOLE)),
  ];
  for (const attempt of attempts) {
    try {
      return attempt() ?? 'null'; // there is no JSON of `undefined` or a function
    } catch {
      // the next one then
    }
  }
  return '"[could not be read]"';
}

/** MLflow itself writes NaN as the text "NaN". */
function withoutOddValues(_key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Error) {
    const { name, message } = value;
    return { name, message, ...(value as object) };
  }
  if (value instanceof Map || value instanceof Set) return [...(value as Iterable<unknown>)];
  return value;
}

function withoutCycles(): (this: unknown, key: string, value: unknown) => unknown {
  const ancestors: unknown[] = [];
  return function (key, given) {
    const value = withoutOddValues(key, given);
    if (typeof value !== 'object' || value === null) return value;
    while (ancestors.length > 0 && ancestors.at(-1) !== this) ancestors.pop();
    if (ancestors.includes(value)) return '[circular]';
    ancestors.push(value);
    return value;
  };
}
