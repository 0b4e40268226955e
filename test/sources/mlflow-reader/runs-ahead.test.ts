import { describe, expect, it } from 'vitest';
import { RECORD_KINDS } from '../../../src/mlflow/records.js';
import { SweepMemory } from '../../../src/testing/sweep-memory.js';
import { sampleContent } from '../../support/mlflow-server.js';
import { opened, pathsOf, recordsOf, runsIn, versionsIn } from './reading.js';

const REGISTRY = ['registered-models/search', 'model-versions/search'];

describe('runs over REST', () => {
  it('are asked for while models and versions are read', async () => {
    const { pages, requestsOf } = await opened(sampleContent({ runsPerExperiment: 8 }), {
      runsPageSize: 2,
    });
    const paths = pathsOf(await requestsOf(() => recordsOf(pages())));
    expect(paths.indexOf('runs/search')).toBeLessThan(paths.indexOf('registered-models/search'));
    expect(paths.filter((path) => REGISTRY.includes(path)).sort()).toEqual([...REGISTRY].sort());
  });

  it('are the same, with their versions, as where they are not asked for ahead', async () => {
    const content = sampleContent({ runsPerExperiment: 8 });
    const ahead = await opened(content, { runsPageSize: 2 });
    const behind = await opened(content, { runsPageSize: 2 });
    const [ours, theirs] = [
      await recordsOf(ahead.pages()),
      await recordsOf(behind.pages(new SweepMemory())),
    ];
    expect(runsIn(ours).length).toBeGreaterThan(8);
    expect(runsIn(ours)).toEqual(runsIn(theirs));
    expect(versionsIn(ours)).toEqual(versionsIn(theirs));
    const linked = ours.flatMap((record) => (record.kind === 'run' ? record.versions : []));
    expect(linked.length).toBeGreaterThan(0);
  });

  it('are not asked for ahead where there is but one connection', async () => {
    const { pages, requestsOf } = await opened(sampleContent(), { concurrency: 1 });
    const paths = pathsOf(await requestsOf(() => recordsOf(pages())));
    const lastOfModels = paths.lastIndexOf('model-versions/search');
    expect(paths.indexOf('runs/search')).toBeGreaterThan(lastOfModels);
  });

  it('are not asked for where nobody wants them', async () => {
    const kinds = new Set(RECORD_KINDS.filter((kind) => kind !== 'run' && kind !== 'dataset'));
    const { pages, requestsOf } = await opened(sampleContent(), { kinds });
    const paths = pathsOf(await requestsOf(() => recordsOf(pages())));
    expect(paths.slice(0, paths.indexOf('model-versions/search'))).not.toContain('runs/search');
  });

  it('are not read on where reading is given up among the models', async () => {
    const { pages, requestsOf } = await opened(sampleContent({ runsPerExperiment: 40 }), {
      runsPageSize: 2,
    });
    const requests = await requestsOf(async () => {
      for await (const { records } of pages()) {
        if (records.some(({ kind }) => kind === 'registeredModel')) break;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    });
    expect(pathsOf(requests).filter((path) => path === 'runs/search').length).toBeLessThan(4);
  });
});
