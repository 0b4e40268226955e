/**
 * How long the proposals of a file take to DataHub over REST, beside a bare client that posts the
 * same bytes ready-made and beside DataHub's own connector; all to a stand-in of the service that
 * counts and takes everything: what is measured are the clients.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { batchBody, proposalEncoder } from '../src/sinks/datahub-rest/encode.js';
import { readProposal } from '../src/datahub/read-proposal.js';
import { startGms } from '../test/live/gms.js';
import { bare, peer, pipelineTo } from './commands.js';
import { compare } from './measure.js';
import type { ProposalFile } from './proposals.js';
import { packed } from './packed.js';
import { rowOf, type Row } from './row.js';

/** The sink's own defaults. */
const PROPOSALS_A_REQUEST = 200;
const CONNECTIONS = 4;

export async function benchDataHubRest(
  { path, proposals, name }: ProposalFile,
  { folder, rounds, withPeer }: { folder: string; rounds: number; withPeer: boolean },
): Promise<Row> {
  const gms = await startGms({ countOnly: true });
  try {
    const ready = join(folder, 'requests.bin');
    const encode = proposalEncoder({ lastObserved: Date.now(), runId: 'bench' });
    const entries = proposals.map((each) => encode(readProposal(each)));
    await writeFile(ready, packed(bodiesOf(entries)));
    const commands = [
      bare('bare', 'datahub-rest/bare.js', gms.url, ready, String(CONNECTIONS)),
      pipelineTo(folder, path, `datahub+${gms.url}`),
    ];
    if (withPeer) {
      commands.push(
        await peer(folder, {
          source: { type: 'file', config: { path } },
          sink: { type: 'datahub-rest', config: { server: gms.url } },
        }),
      );
    }
    const figures = await compare(commands, rounds);
    const { proposals: arrived } = await gms.counts();
    const expected = proposals.length * (2 * (rounds + 1) + (withPeer ? 1 : 0));
    if (arrived !== expected) throw new Error(`${arrived} arrived, not ${expected}`);
    return rowOf(`${name} to DataHub over REST`, figures);
  } finally {
    await gms.stop();
  }
}

function bodiesOf(entries: readonly string[]): Buffer[] {
  const bodies: Buffer[] = [];
  for (let start = 0; start < entries.length; start += PROPOSALS_A_REQUEST) {
    bodies.push(batchBody(entries.slice(start, start + PROPOSALS_A_REQUEST), false));
  }
  return bodies;
}
