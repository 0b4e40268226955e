import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { from, lastValueFrom, toArray } from 'rxjs';
import { expect, it, onTestFinished } from 'vitest';
import { ownersFromTag } from '../../examples/custom-operator/owners-from-tag.js';
import type { Proposal } from '../../src/index.js';
import { fileSink, runPipeline } from '../../src/index.js';
import { exampleDefinition } from '../support/example-config.js';
import { silentLog } from '../support/memory.js';

it('gives containers the owners that their tags name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'custom-operator-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const definition = await exampleDefinition('custom-operator');
  const path = join(folder, 'out.json');
  const { report } = await runPipeline(
    {
      ...definition,
      sinks: [fileSink({ path })],
      deadLetter: { path: join(folder, 'dead.ndjson') },
    },
    { log: silentLog, env: {} },
  );
  expect(report).toMatchObject({ outcome: 'complete', counts: { rejected: 0 } });

  const proposals = JSON.parse(readFileSync(path, 'utf8')) as {
    entityType: string;
    aspectName: string;
    aspect: { json: { owners: { owner: string }[] } };
  }[];
  const owners = proposals
    .filter(({ aspectName }) => aspectName === 'ownership')
    .map(({ aspect }) => aspect.json.owners[0]?.owner);
  expect(owners).toContain('urn:li:corpGroup:risk-analytics');
  expect(owners).toContain('urn:li:corpGroup:growth');
  // Killed runs are left out.
  const runs = proposals.filter(({ aspectName }) => aspectName === 'dataProcessInstanceProperties');
  expect(runs.length).toBeGreaterThan(0);
  expect(runs.length).toBeLessThan(report.counts.read['run'] ?? 0);
});

it('passes on everything else as it is', async () => {
  const of = (aspectName: string, customProperties: Proposal['aspect'][string]): Proposal => ({
    entityType: 'container',
    entityUrn: 'urn:li:container:a',
    changeType: 'UPSERT',
    aspectName,
    aspect: { customProperties },
  });
  const input = [
    of('containerProperties', {}),
    of('containerProperties', { team: '' }),
    of('containerProperties', null),
    of('mlModelProperties', { team: 'a' }),
    of('containerProperties', { team: 'a, b' }),
  ];
  const output = await lastValueFrom(from(input).pipe(ownersFromTag('team'), toArray()));
  expect(output.slice(0, 5)).toEqual(input);
  expect(output.slice(5).map(({ aspect }) => aspect)).toEqual([
    { owners: [{ owner: 'urn:li:corpGroup:a%2C b', type: 'TECHNICAL_OWNER' }] },
  ]);
});
