/**
 * Reads topics as DataHub does, see read.py.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KafkaStack } from '../kafka-stack.js';
import { binOf } from '../install.js';
import { PEER_ENVIRONMENT } from '../peer.js';
import { run } from '../processes.js';
import type { FiledProposal } from '../proposals.js';
import { KAFKA_READER } from '../releases.js';

const SCRIPT = fileURLToPath(new URL('read.py', import.meta.url));

/** What is on the topic, in the order of each partition. */
export async function readTopic(
  stack: Pick<KafkaStack, 'broker' | 'registryUrl'>,
  topic: string,
): Promise<readonly FiledProposal[]> {
  return inFolder(async (folder) => {
    const out = join(folder, 'topic.ndjson');
    await python([stack.broker.plaintext, topic, stack.registryUrl, out]);
    const lines = (await readFile(out, 'utf8')).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as FiledProposal);
  });
}

/** DataHub's schema and ours, in Avro's canonical form. */
export async function canonicalForms(ours: object): Promise<readonly (string | undefined)[]> {
  return inFolder(async (folder) => {
    const file = join(folder, 'ours.avsc');
    await writeFile(file, JSON.stringify(ours));
    return (await python(['--canonical', file])).trimEnd().split('\n');
  });
}

async function python(args: readonly string[]): Promise<string> {
  const { stdout } = await run(join(binOf(KAFKA_READER), 'python'), [SCRIPT, ...args], {
    env: PEER_ENVIRONMENT,
    // Longer than it lets itself hang.
    timeoutMs: 900_000,
  });
  return stdout;
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-read-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
