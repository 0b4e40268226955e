/**
 * What is in the package when it is published: all that it names, and nothing that it does not need.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Manifest {
  readonly main: string;
  readonly types: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

describe('the package', () => {
  const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as Manifest;
  // Not built for it: `npm install` did, and other tests may be reading what it built.
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
      shell: process.platform === 'win32',
    }),
  ) as [{ files: { path: string }[] }];
  const files = packed.files.map(({ path }) => path);

  it('has every file that it names', () => {
    const { main, types, bin, exports } = manifest;
    const named = [main, types, ...Object.values(bin), ...Object.values(exports)]
      .flatMap((each) => (typeof each === 'string' ? each : Object.values(each)))
      .map((path) => path.replace(/^\.\//, ''));
    expect(named.length).toBeGreaterThan(6);
    expect(named.filter((path) => !files.includes(path))).toEqual([]);
  });

  it('has what a run with nothing configured needs, and what a reader does', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'pipeline.config.ts',
        'examples/store/mlflow.db',
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
        'docs/configuration.md',
        'docs/parity.md',
      ]),
    );
  });

  it('has no tests, no bench and nothing that a run has written', () => {
    const odd = /^(test|bench|scripts|\.)|\.(ndjson|incomplete|partial|tsbuildinfo)$|\.test\./;
    expect(files.filter((path) => odd.test(path))).toEqual([]);
  });

  it('can be imported by its name', () => {
    const script = `
      import { definePipeline, restSource } from 'mlflow-datahub';
      import * as testing from 'mlflow-datahub/testing';
      console.log([typeof definePipeline, typeof restSource, Object.keys(testing).length > 0].join());
    `;
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(printed.trim()).toBe('function,function,true');
  });
});
