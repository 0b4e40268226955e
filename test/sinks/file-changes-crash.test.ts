import { spawn } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tagProposal } from '../../src/testing/index.js';
import { buildInto } from '../cli/build.js';
import { temporaryFolder } from './delivered.js';
import type { ChildOptions } from './file-changes-child.js';
import { FORMATS, openChanges, positionOf, wellFormed } from './file-changes.js';

const PAGES = 40;
const MAX_IN_FLIGHT = 3;

let built: string;
let child: string;

beforeAll(() => {
  built = mkdtempSync(join(tmpdir(), 'mlflow-datahub-'));
  buildInto(built);
  const source = fileURLToPath(new URL('file-changes-child.ts', import.meta.url));
  const { outputText } = ts.transpileModule(readFileSync(source, 'utf8'), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  child = join(built, 'child.js');
  writeFileSync(child, outputText.replaceAll('../../src/', './dist/'));
}, 120_000);

afterAll(() => {
  rmSync(built, { recursive: true, force: true });
});

/** Runs the child until it ends or is killed. */
async function run(folder: string, kill?: ChildOptions['kill']): Promise<'killed' | 'ended'> {
  const options: ChildOptions = {
    folder,
    extensions: FORMATS,
    pages: PAGES,
    maxInFlight: MAX_IN_FLIGHT,
    ...(kill === undefined ? {} : { kill }),
  };
  const running = spawn(process.execPath, [child, JSON.stringify(options)], { stdio: 'inherit' });
  const [code, signal] = (await once(running, 'close')) as [number | null, string | null];
  if (signal === 'SIGKILL') return 'killed';
  expect(code).toBe(0);
  return 'ended';
}

interface State {
  readonly sinks: Record<string, { readonly position?: unknown; readonly pages: number[] }>;
}

describe('fileSink with state in a process that is killed', () => {
  it(
    'has each confirmed page exactly once, whatever the moment',
    { timeout: 120_000 },
    async () => {
      const folder = temporaryFolder();
      const read = (): State => JSON.parse(readFileSync(join(folder, 'state'), 'utf8')) as State;
      const confirmed: State[] = []; // when the process was killed
      for (let kills = 0; kills < 6; kills += 1) {
        const afterPages = 1 + Math.floor(Math.random() * 35);
        const delayMs = Math.random() * 5;
        expect(await run(folder, { afterPages, delayMs })).toBe('killed');
        confirmed.push(read());
      }
      // At the end, too: between the last page, the end of the file, its name and the state.
      for (let kills = 0; kills < 3; kills += 1) {
        const delayMs = Math.random() * 15;
        if ((await run(folder, { afterPages: 'all', delayMs })) === 'killed')
          confirmed.push(read());
      }
      expect(await run(folder)).toBe('ended');

      const names = readdirSync(folder).filter((name) => !name.startsWith('state'));
      const all = Array.from({ length: PAGES }, (_, number) => number);
      for (const extension of FORMATS) {
        expect(read().sinks[extension]?.position).toBeUndefined();
        const times = new Map<string, number>();
        for (const name of names.filter((each) => each.endsWith(extension))) {
          expect(name).toMatch(/^out\.run-\d+\./);
          for (const { entityUrn } of wellFormed(join(folder, name))) {
            times.set(entityUrn, (times.get(entityUrn) ?? 0) + 1);
          }
        }
        const pages = new Map<number, Set<number>>();
        for (const [urn, count] of times) {
          const number = Number(/(\d+)-\d+$/.exec(urn)?.[1]);
          pages.set(number, (pages.get(number) ?? new Set()).add(count));
        }
        expect([...pages.keys()].sort((a, b) => a - b)).toEqual(all);
        let twice = 0;
        for (const [number, counts] of pages) {
          const [count = 0, ...others] = counts;
          expect(others).toEqual([]); // a page is there as a whole
          // One more for each time that it may have been confirmed without the state knowing.
          const unknown = confirmed.filter(
            ({ sinks }) => sinks[extension]?.pages.includes(number) !== true,
          ).length;
          expect(count).toBeLessThanOrEqual(1 + unknown);
          twice += count - 1;
        }
        expect(twice).toBeLessThanOrEqual(confirmed.length * MAX_IN_FLIGHT);
      }
      // Nothing is left lying about, also of what was never confirmed.
      expect(names.filter((name) => name.includes('partial'))).toEqual([]);
    },
  );
});

describe('fileSink with state and a partial file that was cut anywhere', () => {
  const stretch = fc.record({
    /** Sizes of pages that the state knows of. */
    known: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    /** Sizes of pages that it does not know of. */
    unknown: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 2 }),
    /** Whether the file was being completed. */
    ending: fc.boolean(),
    /** How much is left of what the state does not know of. */
    left: fc.double({ min: 0, max: 1, noNaN: true }),
  });

  it.each(FORMATS)('has each confirmed page exactly once in %s', async (extension) => {
    await fc.assert(
      fc.asyncProperty(fc.array(stretch, { maxLength: 4 }), async (stretches) => {
        const folder = temporaryFolder();
        const path = join(folder, `out${extension}`);
        let position: ReturnType<typeof positionOf> | undefined;
        let run = 0;
        const expected: string[] = [];
        const page = (name: string, size: number) =>
          Array.from({ length: size }, (_, index) => tagProposal(`${run}-${name}-${index}`));
        for (const { known, unknown, ending, left } of stretches) {
          run += 1;
          const open = await openChanges(path, position, { runId: `run-${run}` });
          for (const [index, size] of known.entries()) {
            await open.write(page(`known-${index}`, size));
            expected.push(...page(`known-${index}`, size).map(({ entityUrn }) => entityUrn));
          }
          position = positionOf(open);
          for (const [index, size] of unknown.entries()) {
            await open.write(page(`unknown-${index}`, size));
          }
          await open.close(ending ? 'complete' : 'failed');
          const [name = position.partial] = readdirSync(folder);
          const partial = join(folder, position.partial);
          if (readdirSync(folder).length === 0) continue;
          renameSync(join(folder, name), partial);
          const { length } = readFileSync(partial);
          truncateSync(partial, position.bytes + Math.floor((length - position.bytes) * left));
        }
        const last = await openChanges(path, position, { runId: 'last' });
        await last.close('complete');
        const [name, ...others] = readdirSync(folder);
        expect(others).toEqual([]);
        const found = name === undefined ? [] : wellFormed(join(folder, name));
        expect(found.map(({ entityUrn }) => entityUrn)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });
});
