/**
 * A source of many proposals, for tests of what becomes of them.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Proposal } from '../../../src/datahub/proposal.js';
import type { Page, Source } from '../../../src/stream/contracts.js';

export interface Flood {
  readonly pages: number;
  readonly pageSize: number;
  /** Milliseconds before each page. */
  readonly pauseMs?: number;
  /** Called before each page. */
  readonly onPage?: (page: number) => Promise<void> | void;
  /** Made larger than any broker takes. */
  readonly oversized?: number;
}

const OVERSIZED = 20 * 1024 * 1024;

/** Three aspects for each entity, so that order matters; valid to DataHub. */
export function flooded({ pages, pageSize, oversized }: Flood): readonly Proposal[] {
  return Array.from({ length: pages * pageSize }, (_, index) => {
    const tag = Math.floor(index / 3);
    const description = index === oversized ? 'ü'.repeat(OVERSIZED / 2) : `version ${index % 3}`;
    return {
      entityType: 'tag',
      entityUrn: `urn:li:tag:tag-${tag}`,
      changeType: 'UPSERT',
      aspectName: 'tagProperties',
      aspect: { name: `tag-${tag}`, description },
    };
  });
}

/** A source whose records are proposals already. */
export function floodSource(flood: Flood): Source<Proposal> {
  const proposals = flooded(flood);
  const { pages, pageSize, pauseMs = 0 } = flood;
  async function* read(): AsyncGenerator<Page<Proposal>> {
    for (let page = 0; page < pages; page += 1) {
      await flood.onPage?.(page);
      await sleep(pauseMs);
      yield { records: proposals.slice(page * pageSize, (page + 1) * pageSize), rejected: [] };
    }
  }
  return {
    label: 'flood',
    open: () =>
      Promise.resolve({
        server: { uri: 'flood:', versionText: 'none', searchesExperiments: true },
        read,
        count: () => Promise.resolve({}),
        close: () => Promise.resolve(),
      }),
  };
}
