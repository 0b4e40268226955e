/**
 * What keeping a state costs, and what it saves: a first and a second run over a large store that
 * does not change, beside a run without state and beside the bare reading.
 */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seedBulk } from '../test/live/seed.js';
import { startMlflow } from '../test/live/servers.js';
import { bare, pipeline } from './commands.js';
import { CONNECTIONS, WORKERS } from './mlflow.js';
import { compare, type Command, type Figures } from './measure.js';

const STATE_VERSION = '3.17.2';

export interface StateBench {
  readonly runs: number;
  readonly roundsDirectly: number;
}

/** A section of it, as Markdown. Over REST everything is run once, for it takes minutes. */
export async function benchState({ runs, roundsDirectly }: StateBench): Promise<string> {
  const server = await startMlflow(
    STATE_VERSION,
    (database) =>
      seedBulk(STATE_VERSION, database, {
        experiments: 20,
        runs,
        models: 100,
        versions: Math.round(runs / 5),
      }),
    WORKERS,
  );
  try {
    const { database, uri } = server;
    const what = (how: string) => `${runs.toLocaleString('en')} runs ${how}`;
    const lines = [
      await line(
        what('from SQLite'),
        `sqlite:///${database}`,
        bare('bare', 'stores/bare-sqlite.js', database),
        roundsDirectly,
      ),
      await line(
        what('over REST'),
        uri,
        bare('bare', 'stores/bare-client.js', uri, String(CONNECTIONS)),
        0,
      ),
    ];
    return [
      '## With state',
      '',
      `MLflow ${STATE_VERSION}, one store, read in both ways. The first run makes the state file, the second finds nothing new.`,
      `From SQLite medians of ${roundsDirectly} rounds after one to warm up, over REST once.`,
      '',
      '| store | bare reading | without state | first run with state | second run, nothing new | first, times without state | second, times the bare reading |',
      '|---|---|---|---|---|---|---|',
      ...lines,
    ].join('\n');
  } finally {
    await server.stop();
  }
}

async function line(
  what: string,
  from: string,
  yardstick: Command,
  rounds: number,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-state-'));
  const state = join(folder, 'mlflow.state');
  const second = pipeline('second run', folder, from, '--state', state);
  try {
    console.log(`${what}: ${rounds + 1} rounds …`);
    const commands: Command[] = [
      yardstick,
      pipeline('without state', folder, from),
      { ...second, name: 'first run', ...withoutFile(state, second) },
      second,
    ];
    const figures = await compare(
      commands.map((each) => ({ ...each, once: rounds === 0 })),
      rounds,
    );
    const files = (await readdir(folder)).filter((name) => /^second-run\..*json$/.test(name));
    if (files.length !== rounds + 1)
      throw new Error('a second run sent something, or a first nothing');
    const of = (name: string): Figures => {
      const found = figures.get(name);
      if (found === undefined) throw new Error(`${name} was not measured`);
      return found;
    };
    const cell = (name: string): string =>
      `${of(name).wallSeconds.toFixed(1)} s, ${of(name).peakMegabytes.toFixed(0)} MB`;
    const ratio = (a: string, b: string): string =>
      (of(a).wallSeconds / of(b).wallSeconds).toFixed(2);
    const cells = ['bare', 'without state', 'first run', 'second run'].map(cell);
    const ratios = [ratio('first run', 'without state'), ratio('second run', 'bare')];
    return `| ${[what, ...cells, ...ratios].join(' | ')} |`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same command, after a file is gone. */
function withoutFile(file: string, { program, args }: Command): Pick<Command, 'program' | 'args'> {
  return { program: 'sh', args: ['-c', 'rm -f "$0"; exec "$@"', file, program, ...args] };
}
