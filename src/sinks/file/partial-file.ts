/**
 * A file that is written beside its target and takes the target's name only when it is complete.
 */

import { randomBytes } from 'node:crypto';
import { open, readdir, rename, unlink, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { kill, pid } from 'node:process';
import { PipelineError } from '../../core/errors.js';
import type { Logger } from '../../stream/contracts.js';
import { errnoOf, unwritable, writeFailed } from '../failures.js';
import type { Output } from '../proposal-writer.js';
import type { Target } from './target.js';

/** Targets that this process is writing: two sinks with one target would share a partial file. */
const beingWritten = new Set<string>();

/** Process ids say nothing across containers that share a folder: each has a host name of its own. */
const HOST = hostname()
  .replace(/[^\w-]/g, '_')
  .slice(0, 32);

/**
 * `<target>.<host>-<pid>-<random>.partial`, until it is renamed to the target or to
 * `<target>.incomplete`.
 */
export class PartialFile implements Output {
  readonly #target: Target;
  readonly #partial: string;
  readonly #handle: FileHandle;
  /** Bytes of the file that are whole. */
  #length = 0;

  private constructor(target: Target, partial: string, handle: FileHandle) {
    this.#target = target;
    this.#partial = partial;
    this.#handle = handle;
  }

  /**
   * Removes what processes that are gone left of the same target, and starts anew.
   *
   * @throws PipelineError `SINK_UNWRITABLE`; `SAME_TARGET` (usage) where this process is already
   * writing the target
   */
  static async open(target: Target, log: Logger): Promise<PartialFile> {
    const { path, folder, mode } = target;
    if (beingWritten.has(path)) {
      throw new PipelineError(`two sinks write ${path}: give each its own file`, {
        code: 'SAME_TARGET',
        category: 'usage',
      });
    }
    beingWritten.add(path);
    try {
      await removeLeftovers(target, log);
      const unique = randomBytes(4).toString('hex');
      const partial = `${path}.${HOST}-${pid}-${unique}.partial`;
      const handle = await open(partial, 'wx', mode ?? 0o666);
      const file = new PartialFile(target, partial, handle);
      try {
        if (mode !== undefined) await handle.chmod(mode); // open() takes the umask off it
      } catch (error) {
        await file.discard();
        throw error;
      }
      return file;
    } catch (error) {
      beingWritten.delete(path);
      throw unwritable(path, folder, error);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await writeAll(this.#handle, bytes, this.#length);
      this.#length += bytes.length;
    } catch (error) {
      // Half a proposal, or half a gzip member, would spoil what stands before it.
      await this.#handle.truncate(this.#length).catch(() => undefined);
      throw writeFailed(this.#target.path, this.#target.folder, error);
    }
  }

  /** Puts the file in the target's place; it is on the disk when this resolves. */
  async complete(): Promise<void> {
    await this.#renameTo(this.#target.path);
  }

  /** Keeps the file beside the target, which stays as it is. Gives the file's path. */
  async keep(): Promise<string> {
    const path = `${this.#target.path}.incomplete`;
    await this.#renameTo(path);
    return path;
  }

  /** Removes the file. */
  async discard(): Promise<void> {
    beingWritten.delete(this.#target.path);
    await this.#handle.close().catch(() => undefined);
    await unlink(this.#partial).catch(() => undefined);
  }

  async #renameTo(path: string): Promise<void> {
    try {
      // Without it a crash of the machine could leave the name on a file without its content.
      await this.#handle.sync();
      await this.#handle.close();
      await rename(this.#partial, path);
      await syncFolder(this.#target.folder);
    } catch (error) {
      await this.discard();
      throw writeFailed(path, this.#target.folder, error);
    }
    beingWritten.delete(this.#target.path);
  }
}

/**
 * Writes every byte: one call may take fewer than it was given. Without a position (on what has
 * none) they go where the last ones ended; truncating does not move that.
 */
export async function writeAll(
  handle: FileHandle,
  bytes: Uint8Array,
  position?: number,
): Promise<void> {
  let offset = 0;
  while (offset < bytes.length) {
    const at = position === undefined ? null : position + offset;
    const { bytesWritten } = await handle.write(bytes, offset, bytes.length - offset, at);
    offset += bytesWritten;
  }
}

/** Makes the rename itself durable, where the system can. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows and some network file systems can't; the rename has happened all the same.
  }
}

async function removeLeftovers({ path, folder }: Target, log: Logger): Promise<void> {
  const prefix = `${basename(path)}.`;
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch {
    return; // a folder may be writable without being readable
  }
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const [, host, writer] =
      /^([\w-]+)-(\d{1,9})-\w+\.partial$/.exec(name.slice(prefix.length)) ?? [];
    if (writer === undefined || host !== HOST) continue;
    const leftover = join(folder, name);
    if (Number(writer) !== pid && isAlive(Number(writer))) {
      log.warn(
        { partial: leftover },
        'another process seems to be writing the same file: the one that ends last will stay',
      );
    } else {
      await unlink(leftover).catch(() => undefined);
      log.info({ partial: leftover }, 'removed what a run that was killed had left');
    }
  }
}

function isAlive(process: number): boolean {
  try {
    kill(process, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ESRCH';
  }
}
