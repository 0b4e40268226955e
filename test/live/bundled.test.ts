/**
 * What a new user gets, with nothing configured: DataHub takes it.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { run } from './processes.js';
import { validate } from './validate.js';

const COMMAND = fileURLToPath(new URL('../../dist/pipeline.js', import.meta.url));

it('the bundled store becomes a file that DataHub’s own classes and command take', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bundled-'));
  try {
    await run(process.execPath, [COMMAND], { cwd: folder, env: { MLFLOW_TRACKING_URI: '' } });
    const file = join(folder, 'mlflow-proposals.json');
    const { length } = JSON.parse(await readFile(file, 'utf8')) as unknown[];
    expect(length).toBeGreaterThan(400);
    expect(await validate(file)).toEqual({ count: length, found: length, problems: [] });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
