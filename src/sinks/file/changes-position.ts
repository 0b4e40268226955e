/**
 * Where a file of changes goes on, as it stands in the state.
 */

import { open, stat, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { PipelineError } from '../../core/errors.js';
import type { JsonValue } from '../../datahub/proposal.js';
import { errnoOf } from '../failures.js';
import type { Place } from './target.js';

const nameSchema = z
  .string()
  .min(1)
  .refine((name) => basename(name) === name);

/** Later versions may add keys. */
const position = z.object({
  /** Name of the file once it is complete. Its folder is that of the target. */
  file: nameSchema,
  /** Name of it until then. */
  partial: nameSchema,
  /** How much of the partial file is confirmed: whole proposals, on the disk. */
  bytes: z.int().min(0),
  /** How many proposals that is. */
  proposals: z.int().min(0),
});

export type ChangesPosition = Readonly<z.output<typeof position>>;

/** @throws PipelineError `POSITION_UNKNOWN` (usage) */
export function readPosition(value: JsonValue, place: Place): ChangesPosition {
  const result = position.safeParse(value);
  if (result.success) return result.data;
  throw new PipelineError(
    `what the state says about ${place.path} can't be understood: go on with ` +
      'the version of this program that wrote it, or start a new state',
    { code: 'POSITION_UNKNOWN', category: 'usage', cause: result.error },
  );
}

/**
 * Opens the partial file and cuts off what is not confirmed. Gives nothing where the file was
 * completed just before the run broke off.
 *
 * @throws PipelineError `PARTIAL_FILE_GONE` (usage) where what was confirmed is not all there
 */
export async function reopenPartial(
  { folder }: Place,
  { file, partial, bytes, proposals }: ChangesPosition,
): Promise<FileHandle | undefined> {
  const path = join(folder, partial);
  const gone = (what: string): PipelineError =>
    new PipelineError(
      `${path} ${what}, and what it held (${proposals} proposals) counts as delivered: put it ` +
        'back, or run once with --full, which sends everything again',
      { code: 'PARTIAL_FILE_GONE', category: 'usage' },
    );
  let handle: FileHandle;
  try {
    handle = await open(path, 'r+');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    if (await holds(join(folder, file), bytes)) return undefined;
    throw gone('is gone');
  }
  try {
    const { size } = await handle.stat();
    if (size < bytes) throw gone(`has only ${size} of the ${bytes} bytes that it had`);
    await handle.truncate(bytes);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function holds(path: string, bytes: number): Promise<boolean> {
  try {
    const found = await stat(path);
    return found.isFile() && found.size >= bytes;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
