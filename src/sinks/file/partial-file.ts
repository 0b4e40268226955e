/**
 * A file that is written beside its target and takes the target's name only when it is complete.
 */

import { randomBytes } from 'node:crypto';
import { open, readdir, rename, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { kill, pid } from 'node:process';
import type { Logger } from '../../stream/contracts.js';
import { errnoOf, unwritable, writeFailed } from '../failures.js';
import type { Output } from '../proposal-writer.js';
import { claim } from './claims.js';
import { GrowingFile, syncFolder } from './growing-file.js';
import type { Target } from './target.js';

/** Process ids say nothing across containers that share a folder: each has a host name of its own. */
const HOST = hostname()
  .replace(/[^\w-]/g, '_')
  .slice(0, 32);

/**
 * `<target>.<host>-<pid>-<random>.partial`, until it is renamed to the target or to
 * `<target>.incomplete`.
 */
export class PartialFile {
  readonly #target: Target;
  readonly #partial: string;
  readonly #file: GrowingFile;
  readonly #release: () => void;

  private constructor(target: Target, partial: string, file: GrowingFile, release: () => void) {
    this.#target = target;
    this.#partial = partial;
    this.#file = file;
    this.#release = release;
  }

  /**
   * Removes what processes that are gone left of the same target, and starts anew.
   *
   * @throws PipelineError `SINK_UNWRITABLE`; `SAME_TARGET` (usage) where this process is already
   * writing the target
   */
  static async open(target: Target, log: Logger): Promise<PartialFile> {
    const { path, folder, mode } = target;
    const release = claim(path);
    try {
      await removeLeftovers(target, log);
      const unique = randomBytes(4).toString('hex');
      const partial = `${path}.${HOST}-${pid}-${unique}.partial`;
      const handle = await open(partial, 'wx', mode ?? 0o666);
      const file = new PartialFile(target, partial, new GrowingFile(handle, target), release);
      try {
        if (mode !== undefined) await handle.chmod(mode); // open() takes the umask off it
      } catch (error) {
        await file.discard();
        throw error;
      }
      return file;
    } catch (error) {
      release();
      throw unwritable(path, folder, error);
    }
  }

  /** What is written goes into the partial file. */
  get output(): Output {
    return this.#file;
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
    this.#release();
    await this.#file.handle.close().catch(() => undefined);
    await unlink(this.#partial).catch(() => undefined);
  }

  async #renameTo(path: string): Promise<void> {
    try {
      await this.#file.seal();
      await rename(this.#partial, path);
      await syncFolder(this.#target.folder);
    } catch (error) {
      await this.discard();
      throw writeFailed(path, this.#target.folder, error);
    }
    this.#release();
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
