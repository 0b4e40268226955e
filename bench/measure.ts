/**
 * Whole-process figures, as medians.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binOf } from '../test/live/install.js';
import { run } from '../test/live/processes.js';
import { PEER } from '../test/live/releases.js';

export interface Figures {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
}

interface Measured extends Figures {
  readonly status: number;
  readonly stderr: string;
}

export interface Command {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Exit statuses that are a success; 0 unless given. */
  readonly allow?: readonly number[];
  /** Run in the first round only, and counted: for what takes minutes. */
  readonly once?: boolean;
}

const SCRIPT = fileURLToPath(new URL('measure.py', import.meta.url));

/** Runs a command once, from start to end of its process. */
export async function measure({ program, args, cwd, env, allow, name }: Command): Promise<Figures> {
  const { stdout } = await run(join(binOf(PEER), 'python'), [SCRIPT, program, ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    timeoutMs: 30 * 60_000,
  });
  const measured = JSON.parse(stdout) as Measured;
  if (!(allow ?? [0]).includes(measured.status)) {
    throw new Error(`${name} ended with status ${measured.status}: ${measured.stderr}`);
  }
  return measured;
}

/**
 * Runs commands in turn, so that a machine whose speed drifts treats them alike, and gives the
 * median of each figure. One round more than asked for is run first and not counted.
 */
export async function compare(
  commands: readonly Command[],
  rounds: number,
): Promise<ReadonlyMap<string, Figures>> {
  const all = new Map<string, Figures[]>();
  for (let round = 0; round <= rounds; round += 1) {
    for (const command of commands) {
      const once = command.once ?? false;
      if (once && round > 0) continue;
      const figures = await measure(command);
      if (once || round > 0) all.set(command.name, [...(all.get(command.name) ?? []), figures]);
    }
  }
  return new Map([...all].map(([name, figures]) => [name, medians(figures)]));
}

function medians(all: readonly Figures[]): Figures {
  const median = (pick: (figures: Figures) => number): number => {
    const sorted = all.map(pick).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  return {
    wallSeconds: median(({ wallSeconds }) => wallSeconds),
    cpuSeconds: median(({ cpuSeconds }) => cpuSeconds),
    peakMegabytes: median(({ peakMegabytes }) => peakMegabytes),
  };
}
