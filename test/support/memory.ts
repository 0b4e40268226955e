/**
 * Components that live in memory, for tests of what stands between a source and its sinks.
 */

import { map } from 'rxjs/operators';
import type { Proposal } from '../../src/datahub/proposal.js';
import type { ServerFacts } from '../../src/mlflow/types.js';
import type {
  Logger,
  OpenSink,
  Operator,
  Page,
  Refusal,
  RunOutcome,
  Sink,
  Source,
} from '../../src/stream/contracts.js';

export const silentLog: Logger = { debug() {}, info() {}, warn() {}, error() {} };

export const someServer: ServerFacts = {
  uri: 'http://127.0.0.1:5000',
  version: '2.22.5',
  versionText: '2.22.5',
  searchesExperiments: true,
};

/** A source of numbers; says what it was asked for and whether it was closed. */
export function memorySource(pages: readonly Page<number>[]) {
  const seen = { asked: 0, closed: 0 };
  const source: Source<number> = {
    label: 'memory',
    open: () =>
      Promise.resolve({
        server: someServer,
        read: () => ({
          [Symbol.asyncIterator]: () => ({
            next: () => {
              const page = pages[seen.asked++];
              return Promise.resolve(
                page === undefined
                  ? { done: true, value: undefined }
                  : { done: false, value: page },
              );
            },
          }),
        }),
        count: () => Promise.resolve({}),
        close: () => {
          seen.closed += 1;
          return Promise.resolve();
        },
      }),
  };
  return { source, seen };
}

export function pageOf(...records: number[]): Page<number> {
  return { records, rejected: [] };
}

/** Turns the number n into a proposal for the tag n. */
export function toTags(): Operator<number, Proposal> {
  return map((record: number) => ({
    entityType: 'tag',
    entityUrn: `urn:li:tag:${record}`,
    changeType: 'UPSERT',
    aspectName: 'tagProperties',
    aspect: { name: String(record) },
  }));
}

/** Keeps what it confirmed. `write` may wait, refuse, or fail. */
export function memorySink(
  write: (proposals: readonly Proposal[]) => Promise<readonly Refusal[]> = () =>
    Promise.resolve([]),
  label = 'memory sink',
) {
  const seen: { confirmed: string[]; closed: RunOutcome[] } = { confirmed: [], closed: [] };
  const open: OpenSink = {
    write: async (proposals) => {
      const refusals = await write(proposals);
      const refused = new Set(refusals.map(({ proposal }) => proposal));
      for (const proposal of proposals) {
        if (!refused.has(proposal)) seen.confirmed.push(proposal.entityUrn);
      }
      return refusals;
    },
    close: (outcome) => {
      seen.closed.push(outcome);
      return Promise.resolve();
    },
  };
  const sink: Sink = {
    label,
    open: () => Promise.resolve(open),
    check: () => Promise.resolve('in memory'),
  };
  return { sink, seen };
}
