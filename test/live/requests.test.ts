/**
 * Requests grow with pages and not with entities.
 */

import { expect, it } from 'vitest';
import { countingProxy } from './counting-proxy.js';
import { runOurs } from './ours.js';
import { seedBulk } from './seed.js';
import { startMlflow } from './servers.js';

const BULK = { experiments: 20, runs: 5_000, models: 100, versions: 1_000 };
const MAX_REQUESTS = 60;

it.each(['1.28.0', '2.22.5', '3.17.2'] as const)(
  `reads 5,000 runs and 1,000 versions from MLflow %s in at most ${MAX_REQUESTS} requests`,
  async (version) => {
    const server = await startMlflow(version, (database) => seedBulk(version, database, BULK));
    const proxy = await countingProxy(server.uri);
    try {
      const { proposals, report } = await runOurs(proxy.uri);
      expect(report).toMatchObject({ exitStatus: 0, outcome: 'complete' });
      expect(proxy.requests.length, proxy.requests.join('\n')).toBeLessThanOrEqual(MAX_REQUESTS);
      expect(report.counts.requests).toBe(proxy.requests.length);

      const urns = (entityType: string): number =>
        new Set(
          proposals
            .filter((proposal) => proposal.entityType === entityType)
            .map(({ entityUrn }) => entityUrn),
        ).size;
      expect(urns('container')).toBe(BULK.experiments + 1); // and "Default"
      expect(urns('dataProcessInstance')).toBe(BULK.runs);
      expect(urns('mlModelGroup')).toBe(BULK.models);
      expect(urns('mlModel')).toBe(BULK.versions);
    } finally {
      await proxy.close();
      await server.stop();
    }
  },
);
