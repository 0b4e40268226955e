import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as api from '../../src/index.js';
import { run, temporaryFolder } from './support.js';

const STORE = fileURLToPath(new URL('../../examples/store/mlflow.db', import.meta.url));

const RECIPE = `
run_id: one
source:
  type: mlflow
  config:
    tracking_uri: http://localhost:5000
    username: ada
    password: in-clear-text-1
sink: { type: file, config: { filename: out.json } }
`;

function folderWith(recipe: string): string {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'recipe.yml'), recipe);
  return cwd;
}

describe('migrate', () => {
  it('prints the configuration, and says what there is to do', async () => {
    const { status, stdout, stderr } = await run(['migrate', 'recipe.yml'], {
      cwd: folderWith(RECIPE),
    });
    expect(status).toBe(0);
    expect(stdout).toContain('export default definePipeline({');
    expect(stdout).toContain("password: env('MLFLOW_TRACKING_PASSWORD')");
    expect(stdout + stderr).not.toContain('in-clear-text-1');
    expect(stderr).toBe(
      'set the variable MLFLOW_TRACKING_PASSWORD: its value stands in clear text in recipe.yml\n' +
        'recipe.yml:2:9: run_id has no meaning here, and is left out\n',
    );
  });

  it('writes a file, and over none', async () => {
    const cwd = folderWith(RECIPE);
    expect((await run(['migrate', 'recipe.yml', 'new.config.ts'], { cwd })).status).toBe(0);
    const written = readFileSync(join(cwd, 'new.config.ts'), 'utf8');
    expect(written).toContain("from 'mlflow-datahub'");
    const again = await run(['migrate', 'recipe.yml', 'new.config.ts'], { cwd });
    expect(again.status).toBe(2);
    expect(again.stderr).toContain('new.config.ts is there already');
    expect(readFileSync(join(cwd, 'new.config.ts'), 'utf8')).toBe(written);
  });

  it('writes what runs, and gives the same', async () => {
    const cwd = temporaryFolder();
    const out = join(cwd, 'out.ndjson');
    const recipe = `
source: { type: mlflow, config: { tracking_uri: 'sqlite:///${STORE}' } }
transformers: [{ type: simple_add_dataset_tags, config: { tag_urns: ['urn:li:tag:a'] } }]
sink: { type: file, config: { filename: '${out}' } }
`;
    writeFileSync(join(cwd, 'recipe.yml'), recipe);
    const outputOf = async (config: string): Promise<string> => {
      const { status, stderr } = await run(['--config', config], { cwd, components: api });
      expect(status, stderr).toBe(0);
      const text = readFileSync(out, 'utf8');
      return text.replace(/,"systemMetadata":\{[^}]*\}/g, '');
    };
    const before = await outputOf('recipe.yml');
    expect(before).toContain('urn:li:tag:a');
    expect((await run(['migrate', 'recipe.yml', 'pipeline.config.ts'], { cwd })).status).toBe(0);
    expect(await outputOf('pipeline.config.ts')).toBe(before);
  });

  it.each([
    [['migrate', 'none.yml'], 'none.yml'],
    [['migrate', 'recipe.yml', 'a', 'b'], 'unknown argument "b"'],
    [['migrate', 'recipe.yml', '--to', '-'], '--to has no meaning for migrate'],
  ])('%j is wrong usage', async (args, message) => {
    const { status, stderr } = await run(args, { cwd: folderWith(RECIPE) });
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });

  it('names the line of what it can not take over', async () => {
    const cwd = folderWith(RECIPE.replace('username', 'user_name'));
    const { status, stderr } = await run(['migrate', 'recipe.yml'], { cwd });
    expect(status).toBe(2);
    expect(stderr).toContain('recipe.yml:');
  });
});
