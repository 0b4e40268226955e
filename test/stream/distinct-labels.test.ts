import { expect, it } from 'vitest';
import type { OpenSink, RunContext, Sink } from '../../src/stream/contracts.js';
import type { SinkMemory } from '../../src/stream/memory.js';
import { withDistinctLabels } from '../../src/stream/distinct-labels.js';
import { runContext } from '../../src/testing/run-context.js';
import { memorySink } from '../support/memory.js';

const labelled = (...labels: string[]): Sink[] =>
  labels.map((label) => memorySink(undefined, label).sink);
const labelsOf = (sinks: readonly Sink[]): string[] => sinks.map(({ label }) => label);

it('leaves labels that differ, and numbers those that do not', () => {
  expect(labelsOf(withDistinctLabels(labelled('a', 'b')))).toEqual(['a', 'b']);
  expect(labelsOf(withDistinctLabels(labelled('a', 'b', 'a', 'a')))).toEqual([
    'a',
    'b',
    'a (2)',
    'a (3)',
  ]);
});

it('gives no label that another sink has already', () => {
  const labels = labelsOf(withDistinctLabels(labelled('a', 'a', 'a (2)', 'a (2)')));
  expect(labels).toEqual(['a', 'a (3)', 'a (2)', 'a (2) (2)']);
});

it('changes nothing when it is done again', () => {
  const once = withDistinctLabels(labelled('a', 'a', 'a'));
  expect(withDistinctLabels(once)).toEqual(once);
});

it('keeps all else of a sink, also of one that is an instance of a class', async () => {
  class Hook implements Sink {
    readonly label = 'hook';
    readonly onError = 'dead-letter';
    readonly path = 'out.json';
    readonly #seen: string[] = [];
    open(context: RunContext, memory?: SinkMemory): Promise<OpenSink> {
      this.#seen.push(context.runId, JSON.stringify(memory?.position));
      return Promise.reject(new Error(this.#seen.join()));
    }
    check(): Promise<string> {
      return Promise.resolve(`${this.label} is there`);
    }
  }
  const second = withDistinctLabels([new Hook(), new Hook()])[1];
  expect(second).toMatchObject({ label: 'hook (2)', onError: 'dead-letter', path: 'out.json' });
  const opening = second?.open(runContext(), { position: 'page 7' });
  await expect(opening).rejects.toThrow(`${runContext().runId},"page 7"`);
  expect(await second?.check(runContext())).toBe('hook is there');
});
