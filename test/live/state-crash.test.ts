/**
 * A run that is killed again and again, at any moment, while it delivers to three sinks at once:
 * what arrived in the end is what a run that nobody kills delivers, and a kill costs no more than
 * the pages that were on their way.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGms, type Gms } from './gms.js';
import { readTopic } from './kafka/read.js';
import { startKafkaStack, type KafkaStack } from './kafka-stack.js';
import { runOurs } from './ours.js';
import type { FiledProposal } from './proposals.js';
import { seedBulk } from './seed.js';
import { startMlflow, type MlflowServer } from './servers.js';
import { outcome, StatefulPipeline } from './state/pipeline.js';

const KILLS = 25;
const PAGE_SIZE = 50;
/** The default of `maxInFlightPages`. */
const PAGES_ON_THEIR_WAY = 4;

let folder: string;
let server: MlflowServer;
let kafka: KafkaStack;
let gms: Gms;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crash-'));
  const bulk = { experiments: 10, runs: 3_000, models: 20, versions: 200, 'same-start': 500 };
  [kafka, gms, server] = await Promise.all([
    startKafkaStack(),
    startGms(),
    startMlflow('3.17.2', (database) => seedBulk('3.17.2', database, bulk)),
  ]);
});
afterAll(async () => {
  await Promise.all([server.stop(), kafka.stop(), gms.stop()]);
  await rm(folder, { recursive: true, force: true });
});

it.each(['a server', 'its database'])(
  'loses nothing when it is killed, reading %s',
  async (what) => {
    const from = what === 'a server' ? server.uri : `sqlite:///${server.database}`;
    const kills = what === 'a server' ? KILLS : 5;
    const topic = await kafka.createTopic();
    const before = await untilQuiet();
    const pipeline = await StatefulPipeline.create({
      from,
      source: { runsPageSize: PAGE_SIZE },
      sinks: [
        `kafkaSink(${JSON.stringify({
          brokers: [kafka.broker.plaintext],
          topic,
          registry: { url: kafka.registryUrl },
        })})`,
        `dataHubRestSink({ url: ${JSON.stringify(gms.url)} })`,
      ],
    });
    try {
      // Slow enough that the kills come while pages are on their way.
      await gms.control({ delayMs: 300 });
      /** How much had arrived after each kill. */
      const arrived = [before];
      for (let kill = 0; kill < kills; kill += 1) {
        const { child, ended } = pipeline.start();
        const delivers = async () => (await gms.counts()).proposals > (arrived.at(-1) ?? 0);
        // Every fifth at any moment of the start, the others once it has begun to deliver.
        if (kill % 5 !== 4) {
          while (!(await delivers()) && child.exitCode === null) await sleep(20);
          await sleep(Math.random() * 1_500);
        } else await sleep(Math.random() * 2_500);
        child.kill('SIGKILL');
        await ended;
        arrived.push(await untilQuiet());
      }
      await gms.control({ delayMs: 0 });
      const last = await pipeline.run();
      expect(last.status, last.output).toBe(0);
      const taken = await gms.taken();
      const rounds = arrived.map((from, round) => taken.slice(from, arrived[round + 1]));

      const clean = await runOurs(from);
      const expected = outcome(clean.proposals);
      expect(outcome(await pipeline.everything())).toEqual(expected);
      expect(outcome(rounds.flat())).toEqual(expected);
      expect(outcome(await readTopic(kafka, topic))).toEqual(expected);
      expect(Math.max(...runsRepeated(rounds))).toBeLessThanOrEqual(PAGES_ON_THEIR_WAY * PAGE_SIZE);
    } finally {
      await pipeline.remove();
    }
  },
  1_800_000,
);

/** Until the service has taken all that a run that is gone had sent it; gives how much it took. */
async function untilQuiet(): Promise<number> {
  for (;;) {
    await sleep(300);
    const { connections, proposals } = await gms.counts();
    if (connections === 0) return proposals;
  }
}

/**
 * For each round, how many of the runs that arrived in it arrived once more in a later one: not
 * always the next, which may itself be killed before it comes to them.
 */
function runsRepeated(rounds: readonly (readonly FiledProposal[])[]): readonly number[] {
  const later = new Set<string>();
  return rounds.toReversed().map((round) => {
    const runs = new Set(
      round
        .filter(({ aspectName }) => aspectName === 'dataProcessInstanceProperties')
        .map(({ entityUrn }) => entityUrn),
    );
    const again = [...runs].filter((urn) => later.has(urn)).length;
    for (const urn of runs) later.add(urn);
    return again;
  });
}
