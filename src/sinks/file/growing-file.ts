/**
 * A file that grows a batch at a time.
 */

import { open, type FileHandle } from 'node:fs/promises';
import { writeFailed } from '../failures.js';
import type { Output } from '../proposal-writer.js';

/** What errors name: the file that the user asked for, and its folder. */
export interface Named {
  readonly path: string;
  readonly folder: string;
}

/**
 * Writes at places that it keeps count of, so that a batch that failed halfway can be cut off:
 * half a proposal, or half a gzip member, would spoil what stands before it.
 */
export class GrowingFile implements Output {
  readonly handle: FileHandle;
  readonly #named: Named;
  #length: number;
  #committed: number;

  /** @param length - how long the file is, in bytes */
  constructor(handle: FileHandle, named: Named, length = 0) {
    this.handle = handle;
    this.#named = named;
    this.#length = length;
    this.#committed = length;
  }

  /** Bytes that were handed over, committed or not. */
  get length(): number {
    return this.#length;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await writeAll(this.handle, bytes, this.#length);
    } catch (error) {
      throw writeFailed(this.#named.path, this.#named.folder, error);
    }
    this.#length += bytes.length;
  }

  commit(): Promise<void> {
    this.#committed = this.#length;
    return Promise.resolve();
  }

  async rollback(): Promise<void> {
    this.#length = this.#committed;
    // Where even this fails, `seal` is told.
    await this.handle.truncate(this.#length).catch(() => undefined);
  }

  /** Closes the file; it is on the disk when this resolves, and holds what was written. */
  async seal(): Promise<void> {
    try {
      await this.handle.truncate(this.#length);
      // Without it a crash of the machine could leave the name on a file without its content.
      await this.handle.sync();
    } finally {
      await this.handle.close();
    }
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

/** Makes what happened to names in a folder durable, where the system can. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows and some network file systems can't; the names are as they should be all the same.
  }
}
