/**
 * Whatever happens to a store between two sweeps: what was delivered in the end is what the store
 * holds, as far as a lookback promises it.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordKey } from '../../../src/mlflow/record-key.js';
import { RECORD_KINDS, type MlflowRecord } from '../../../src/mlflow/records.js';
import { readMlflow } from '../../../src/sources/mlflow-reader.js';
import { openRestStore } from '../../../src/sources/rest/rest-store.js';
import type { ServerContent } from '../../support/mlflow-server.js';
import { sampleContent, sampleRunId } from '../../support/mlflow-server.js';
import { SweepMemory } from '../../../src/testing/sweep-memory.js';
import { startServer } from '../../mlflow/open-client.js';
import { testContext } from '../rest/open-store.js';
import { ended, recordsOf, runOf, startOf } from './reading.js';

const RUNS = 24;
/** Runs from this place on are read by the lookback. */
const SINCE = 18;
const OPEN = [1, 5, 20];

type Change = readonly [
  what:
    | 'new run'
    | 'run ends'
    | 'new version'
    | 'alias moves'
    | 'version edited'
    | 'version gone'
    | 'experiment renamed'
    | 'experiment new'
    | 'late run edited',
  which: number,
];

const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.tuple(
    fc.constantFrom<Change[0]>(
      'new run',
      'run ends',
      'new version',
      'alias moves',
      'version edited',
      'version gone',
      'experiment renamed',
      'experiment new',
      'late run edited',
    ),
    fc.nat(1_000),
  ),
  { maxLength: 6 },
);

/** A database gives no number twice. */
let nextVersion = 100;

function apply(content: ServerContent, [what, which]: Change): void {
  const pick = <T>(list: readonly T[]): T => list[which % list.length] as T;
  const active = () => content.experiments.filter((one) => one.lifecycle_stage === 'active');
  const addRun = (experimentId: string, start: number): void => {
    const like = content.runs[which % RUNS];
    if (like === undefined) return;
    const id = `new${content.runs.length}`;
    const info = {
      ...like.info,
      run_id: id,
      run_uuid: id,
      experiment_id: experimentId,
      start_time: start,
    };
    content.runs.push({ ...like, info });
  };
  switch (what) {
    case 'new run':
      addRun(pick(active()).experiment_id, startOf(content, SINCE) + which);
      break;
    case 'run ends':
      runOf(content, pick(OPEN)).status = 'FAILED';
      break;
    case 'new version':
      content.modelVersions.push({
        name: 'model 1',
        version: String(nextVersion++),
        run_id: pick(content.runs).info.run_id,
      });
      break;
    case 'alias moves': {
      const model = pick(content.registeredModels);
      model.aliases = [{ alias: 'champion', version: String(1 + (which % 3)) }];
      break;
    }
    case 'version edited':
      if (content.modelVersions.length > 0) {
        pick(content.modelVersions).description = `edited ${which}`;
      }
      break;
    case 'version gone':
      content.modelVersions.splice(which % (content.modelVersions.length + 1), 1);
      break;
    case 'experiment renamed':
      pick(active()).name = `renamed ${which} ${content.runs.length}`;
      break;
    case 'experiment new': {
      const id = String(100 + content.experiments.length);
      content.experiments.push({ experiment_id: id, name: `new ${id}`, lifecycle_stage: 'active' });
      // Also one that is old: runs can be logged with any start.
      addRun(id, 1_000);
      break;
    }
    case 'late run edited':
      runOf(content, SINCE + (which % (RUNS - SINCE))).user_id = `edited ${which}`;
      break;
  }
}

/** The last that was said of each. */
function latest(records: readonly MlflowRecord[]): Map<string, string> {
  return new Map(records.map((record) => [nameOf(record), JSON.stringify(record)]));
}

function nameOf(record: MlflowRecord): string {
  return recordKey(record) ?? (record.kind === 'dataset' ? `dataset ${record.name}` : record.kind);
}

describe('sweeps over a store that changes', () => {
  it('end with what the store holds, though they break off', async () => {
    await fc.assert(
      fc.asyncProperty(
        changes,
        changes,
        changes,
        fc.nat(12),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        fc.constantFrom('1.28.0' as const, '2.22.5' as const, '3.17.2' as const),
        async (first, second, third, cut, runsPageSize, isFull, flavour) => {
          const content = ended(sampleContent({ experiments: 3, runsPerExperiment: 8 }), ...OPEN);
          for (const [index, version] of content.modelVersions.entries()) {
            if (index > 0) version.run_id = sampleRunId((index * 5) % RUNS);
          }
          const server = await startServer({ flavour, content });
          const open = async () => {
            const options = { uri: server.uri, runsPageSize, experimentsPerSearch: 2 };
            const context = testContext();
            return readMlflow(await openRestStore(options, context), context);
          };
          const kinds = new Set(RECORD_KINDS);
          const memory = new SweepMemory();
          const said: MlflowRecord[] = [];
          const sweep = async (pages?: number): Promise<void> => {
            const source = await open();
            said.push(...(await memory.deliver(source.read({ kinds, memory }), pages)));
            await source.close();
          };
          memory.begin();
          await sweep();
          memory.complete();

          for (const change of first) apply(content, change);
          memory.begin(isFull ? undefined : startOf(content, SINCE));
          await sweep(cut); // breaks off
          for (const change of second) apply(content, change);
          await sweep();
          memory.complete();
          for (const change of third) apply(content, change);
          memory.begin(startOf(content, SINCE));
          await sweep();
          memory.complete();

          const source = await open();
          const held = latest(await recordsOf(source.read({ kinds })));
          const known = latest(said);
          for (const [name, record] of held)
            expect([name, known.get(name)]).toEqual([name, record]);
          await source.close();
          await server.close();
        },
      ),
      { numRuns: 20 },
    );
  }, 120_000);
});
