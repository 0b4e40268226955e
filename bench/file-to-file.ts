/**
 * How long the proposals of a file take into another file, beside reading and writing their JSON
 * without looking at it, and beside DataHub's connector.
 */

import { join } from 'node:path';
import { bare, peer, pipeline } from './commands.js';
import { compare } from './measure.js';
import type { ProposalFile } from './proposals.js';
import { rowOf, type Row } from './row.js';

export async function benchFileToFile(
  { path, name }: ProposalFile,
  {
    folder,
    rounds,
    withPeer,
  }: { readonly folder: string; readonly rounds: number; readonly withPeer: boolean },
): Promise<Row> {
  const commands = [
    bare('bare', 'bare-file.js', path, join(folder, 'bare.json')),
    pipeline('ours', folder, path),
  ];
  if (withPeer) {
    commands.push(
      await peer(folder, {
        source: { type: 'file', config: { path } },
        sink: { type: 'file', config: { filename: join(folder, 'peer.json') } },
      }),
    );
  }
  return rowOf(`${name} to another file`, await compare(commands, rounds));
}
