/**
 * `--report FILE`.
 */

import { access, constants, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { messageOf, PipelineError } from '../core/errors.js';

/** Finds out before the run whether the report can be written after it. */
export async function checkReportPath(path: string, cwd: string): Promise<void> {
  const target = resolve(cwd, path);
  try {
    await access(dirname(target), constants.W_OK);
  } catch (error) {
    throw unwritable(path, 'usage', error);
  }
  const isFolder = await stat(target).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) {
    throw new PipelineError(`--report ${path}: that is a folder, give the name of a file`, {
      code: 'REPORT_UNWRITABLE',
      category: 'usage',
    });
  }
}

/** Written beside the target and renamed, so that whoever watches the file never reads half of it. */
export async function writeReport(path: string, cwd: string, report: object): Promise<void> {
  const target = resolve(cwd, path);
  const partial = `${target}.partial`;
  try {
    await writeFile(partial, `${JSON.stringify(report, null, 2)}\n`);
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw unwritable(path, 'unavailable', error);
  }
}

function unwritable(
  path: string,
  category: 'usage' | 'unavailable',
  cause: unknown,
): PipelineError {
  return new PipelineError(`--report ${path} can't be written: ${messageOf(cause)}`, {
    code: 'REPORT_UNWRITABLE',
    category,
    cause,
  });
}
