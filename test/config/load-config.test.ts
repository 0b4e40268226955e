import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as rxjs from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { definePipeline } from '../../src/config/define-pipeline.js';
import { loadConfig, type LoadedConfig } from '../../src/config/load-config.js';
import { PipelineError } from '../../src/core/errors.js';
import { parseOptions } from '../../src/core/options.js';

const thingSchema = z.strictObject({ path: z.string(), pretty: z.boolean().optional() });

/** A stand-in for this package as a configuration sees it. */
const api = {
  definePipeline,
  thingSource: () => ({ label: 'thing', open: () => Promise.reject(new Error('not opened')) }),
  thingSink: (options: unknown) => {
    const { path } = parseOptions('thingSink', thingSchema, options);
    const never = (): Promise<never> => Promise.reject(new Error('not opened'));
    return { label: `thing ${path}`, open: never, check: never };
  },
};

const VALID = `
import { definePipeline, thingSource, thingSink, type Proposal } from 'mlflow-datahub';
import { map } from 'rxjs';
const proposal: Proposal = {} as Proposal;
export default definePipeline({
  source: thingSource(),
  operators: [map(() => proposal)],
  sinks: [thingSink({ path: 'out.json' })],
});
`;

let folder: string;
let packageRoot: string;

beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'load-config-'));
  folder = join(root, 'here');
  packageRoot = join(root, 'package');
  mkdirSync(folder);
  mkdirSync(packageRoot);
});

afterEach(() => {
  rmSync(join(folder, '..'), { recursive: true, force: true });
});

function load(path?: string): Promise<LoadedConfig> {
  const modules = () => Promise.resolve({ 'mlflow-datahub': api, rxjs });
  return loadConfig({ cwd: folder, packageRoot, modules, ...(path === undefined ? {} : { path }) });
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

async function refusal(text: string, name = 'pipeline.config.ts'): Promise<PipelineError> {
  write(name, text);
  const error: unknown = await load(name).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof PipelineError)) throw new Error(`not refused: ${String(error)}`);
  expect(error.category).toBe('usage');
  return error;
}

describe('loadConfig', () => {
  it('loads TypeScript with nothing installed beside it', async () => {
    write('pipeline.config.ts', VALID);
    const loaded = await load();
    expect(loaded.displayPath).toBe('pipeline.config.ts');
    expect(loaded.isDefault).toBe(false);
    expect(loaded.definition.sinks[0]?.label).toBe('thing out.json');
    expect(loaded.definition.maxInFlightPages).toBe(4);
  });

  it.each(['pipeline.config.js', 'pipeline.config.mjs'])('loads %s', async (name) => {
    write(
      name,
      VALID.replace(', type Proposal', '').replace(': Proposal = {} as Proposal', ' = {}'),
    );
    expect((await load()).displayPath).toBe(name);
  });

  it('takes the one it is told, then the current folder, then the package', async () => {
    writeFileSync(join(packageRoot, 'pipeline.config.ts'), VALID);
    expect(await load()).toMatchObject({ isDefault: true });
    write('pipeline.config.ts', VALID);
    expect(await load()).toMatchObject({ isDefault: false, displayPath: 'pipeline.config.ts' });
    write('other.ts', VALID);
    expect(await load('other.ts')).toMatchObject({ isDefault: false, displayPath: 'other.ts' });
  });

  it('takes neighbours of the configuration, waiting, promises, and plain objects', async () => {
    write('mine.ts', `import { map } from 'rxjs';\nexport const mine = map((x: number) => x);`);
    write(
      'pipeline.config.ts',
      `import { thingSource, thingSink } from 'mlflow-datahub';
       import { mine } from './mine.js';
       await new Promise((resolve) => setTimeout(resolve, 1));
       const here = import.meta.dirname;
       export default Promise.resolve({ source: thingSource(), operators: [mine], sinks: [thingSink({ path: here })] });`,
    );
    expect((await load()).definition.sinks[0]?.label).toBe(`thing ${folder}`);
  });

  it('names a mistyped option with file, line, and what is allowed', async () => {
    const error = await refusal(VALID.replace("path: 'out.json'", "pathh: 'out.json'"));
    expect(error.code).toBe('INVALID_OPTIONS');
    expect(error.message).toContain('pipeline.config.ts:8: thingSink:');
    expect(error.message).toContain('unknown option "pathh", did you mean "path"?');
    expect(error.message).toContain('Allowed: path, pretty');
    const outer = await refusal(VALID.replace('sinks:', 'sink:'));
    expect(outer.message).toContain('pipeline.config.ts:5: definePipeline:');
    expect(outer.message).toContain('unknown option "sink", did you mean "sinks"?');
  });

  it('names a mistyped import', async () => {
    const error = await refusal(VALID.replaceAll('thingSink', 'thingSnik'));
    expect(error.message).toBe(
      'pipeline.config.ts:8: "mlflow-datahub" exports no "thingSnik", did you mean "thingSink"?',
    );
  });

  it('names a name that was not imported, and where it is', async () => {
    const forgotten = await refusal(VALID.replace('thingSource, thingSink,', 'thingSource,'));
    expect(forgotten.message).toBe(
      'pipeline.config.ts:8: thingSink is not defined: import it from "mlflow-datahub"',
    );
    const mistyped = await refusal(VALID.replace('[thingSink(', '[thingSnik('));
    expect(mistyped.message).toBe(
      'pipeline.config.ts:8: thingSnik is not defined, did you mean "thingSink"?',
    );
    expect((await refusal('export default definitely();')).message).toBe(
      'pipeline.config.ts:1: definitely is not defined',
    );
  });

  it('gives the place of a syntax error', async () => {
    const error = await refusal(`const a = 1;\nexport default {{\n`);
    expect(error.code).toBe('CONFIG_SYNTAX');
    expect(error.message).toMatch(/^pipeline\.config\.ts:2:\d+: syntax error: /);
    write('mine.ts', 'export const mine = = 1;');
    const inside = await refusal(`import { mine } from './mine.js';\nexport default mine;`);
    expect(inside.message).toContain('mine.ts:1:');
  });

  it('says what a configuration must export', async () => {
    for (const text of ['', 'export const pipeline = 1;', 'module.exports = { a: 1 };']) {
      const error = await refusal(text);
      expect(error).toMatchObject({ code: 'NOT_A_PIPELINE' });
      expect(error.message).toContain('has no default export');
    }
    for (const text of ['{}', '"text"', '() => 1', 'null', '[]', '{ a: 1 }']) {
      const error = await refusal(`export default ${text};`);
      expect(error).toMatchObject({ code: 'NOT_A_PIPELINE' });
      expect(error.message).toContain('exports is no pipeline');
    }
  });

  it('names the file for whatever else it throws', async () => {
    expect((await refusal(`\nthrow new Error('mine');`)).message).toBe(
      'pipeline.config.ts:2: mine',
    );
    const missing = await refusal(`import { x } from './nope.js';\nexport default x;`);
    expect(missing.message).toBe("pipeline.config.ts:1: Cannot find module './nope.js'");
  });

  it('says so when there is no such file', async () => {
    await expect(load('nope.ts')).rejects.toThrow('the configuration nope.ts does not exist');
    await expect(load('.')).rejects.toThrow('is not a file');
    await expect(load()).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
  });
});
