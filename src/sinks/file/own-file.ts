/**
 * A growing file whose batches are on the disk when they are committed, and that no other process
 * has touched by then.
 */

import { open, stat, unlink, type FileHandle } from 'node:fs/promises';
import { PipelineError } from '../../core/errors.js';
import { errnoOf, writeFailed } from '../failures.js';
import { GrowingFile, syncFolder, type Named } from './growing-file.js';

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

export class OwnFile extends GrowingFile {
  readonly path: string;
  readonly #named: Named;
  readonly #identity: Identity;
  #isOurs = true;

  private constructor(
    handle: FileHandle,
    path: string,
    named: Named,
    identity: Identity,
    length: number,
  ) {
    super(handle, named, length);
    this.path = path;
    this.#named = named;
    this.#identity = identity;
  }

  /** Makes the file; its name is on the disk when this resolves. */
  static async create(path: string, named: Named, mode?: number): Promise<OwnFile> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, 'wx', mode ?? 0o666);
      if (mode !== undefined) await handle.chmod(mode); // open() takes the umask off it
      const file = await OwnFile.of(handle, path, named, 0);
      await syncFolder(named.folder);
      return file;
    } catch (error) {
      await handle?.close();
      if (handle !== undefined) await unlink(path).catch(() => undefined);
      throw writeFailed(named.path, named.folder, error);
    }
  }

  /** @param length - how long the file is, in bytes */
  static async of(
    handle: FileHandle,
    path: string,
    named: Named,
    length: number,
  ): Promise<OwnFile> {
    return new OwnFile(handle, path, named, await handle.stat({ bigint: true }), length);
  }

  /** Whether it was ours when that was looked at last. */
  get isOurs(): boolean {
    return this.#isOurs;
  }

  /**
   * Looks whether the file is still there, and as long as it was left. What is written to one that
   * was removed is lost, and nobody else would tell.
   *
   * @throws PipelineError `SINK_FAILED`
   */
  async verify(): Promise<void> {
    try {
      const { dev, ino, size } = await stat(this.path, { bigint: true });
      const { dev: ourDev, ino: ourIno } = this.#identity;
      if (dev === ourDev && ino === ourIno && size === BigInt(this.length)) return;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw this.#failed(error);
    }
    this.#isOurs = false;
    throw new PipelineError(
      `${this.path} was taken away or changed by another process while it was being written: ` +
        'leave it alone, and see that each run has its own state file',
      { code: 'SINK_FAILED', category: 'unavailable' },
    );
  }

  override async commit(): Promise<void> {
    try {
      await this.handle.datasync();
    } catch (error) {
      throw this.#failed(error);
    }
    await this.verify();
    await super.commit();
  }

  /** Cuts off nothing of a file that is another's by now. */
  override async rollback(): Promise<void> {
    if (this.#isOurs) await super.rollback();
  }

  #failed(error: unknown): PipelineError {
    return writeFailed(this.#named.path, this.#named.folder, error);
  }
}
