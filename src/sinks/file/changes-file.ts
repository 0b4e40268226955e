/**
 * A file of what changed, which a later run can go on with.
 */

import { rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PipelineError } from '../../core/errors.js';
import type { Logger } from '../../stream/contracts.js';
import type { SinkMemory } from '../../stream/memory.js';
import { unwritable, writeFailed } from '../failures.js';
import type { Output } from '../proposal-writer.js';
import { freeName, nameOfChanges, partialNameFor } from './changes-name.js';
import { readPosition, reopenPartial, type ChangesPosition } from './changes-position.js';
import { claim } from './claims.js';
import { syncFolder } from './growing-file.js';
import { OwnFile } from './own-file.js';
import type { Place } from './target.js';

export interface ChangesOptions {
  readonly place: Place;
  /** As in the name of the place: `.json.gz`. */
  readonly extension: string;
  readonly runId: string;
  readonly memory: SinkMemory;
  readonly log: Logger;
}

/**
 * `out.<run id>.json.<random>.partial`, made when there is something to write, until it is complete
 * and becomes `out.<run id>.json`. What is committed is on the disk: whatever happens, cut to the
 * length of its position the partial file holds exactly that, and another run goes on with it.
 */
export class ChangesFile implements Output {
  readonly #place: Place;
  readonly #extension: string;
  readonly #release: () => void;
  #position: ChangesPosition;
  #file: OwnFile | undefined;
  #over = false;

  private constructor(
    { place, extension }: ChangesOptions,
    position: ChangesPosition,
    file: OwnFile | undefined,
    release: () => void,
  ) {
    this.#place = place;
    this.#extension = extension;
    this.#position = position;
    this.#file = file;
    this.#release = release;
  }

  /**
   * Goes on with the partial file of the run that broke off, if one did. Makes no file yet.
   *
   * @throws PipelineError `PARTIAL_FILE_GONE` (usage) where that file is not there any more;
   * `SAME_TARGET` (usage) where this process is already writing it; `SINK_UNWRITABLE`
   */
  static async open(options: ChangesOptions): Promise<ChangesFile> {
    const { place, extension, runId, memory } = options;
    const release = claim(place.path);
    try {
      if (memory.position !== undefined) {
        const position = readPosition(memory.position, place);
        const file = await goOn(position, options);
        if (file !== undefined) return new ChangesFile(options, position, file, release);
      }
      const name = nameOfChanges(place.name, extension, runId);
      const file = await freeName(place.folder, name, extension);
      const position = { file, partial: partialNameFor(file), bytes: 0, proposals: 0 };
      return new ChangesFile(options, position, undefined, release);
    } catch (error) {
      release();
      throw error instanceof PipelineError ? error : unwritable(place.path, place.folder, error);
    }
  }

  /** Covers what is committed. Undefined when the file is complete, or was never made. */
  get position(): ChangesPosition | undefined {
    return this.#over ? undefined : this.#position;
  }

  get partial(): string {
    return join(this.#place.folder, this.#position.partial);
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#file ??= await OwnFile.create(this.partial, this.#place, this.#place.mode);
    const file = this.#file;
    if (file.length === this.#position.bytes) await file.verify();
    await file.write(bytes);
  }

  async commit(written: number): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    await file.commit();
    this.#position = { ...this.#position, bytes: file.length, proposals: written };
  }

  async rollback(): Promise<void> {
    await this.#file?.rollback();
  }

  /** Gives the file its name, which it gives back. It is on the disk when this resolves. */
  async complete(): Promise<string> {
    const { folder } = this.#place;
    let path = join(folder, this.#position.file);
    try {
      await this.#file?.verify();
      await this.#file?.seal();
      path = join(folder, await freeName(folder, this.#position.file, this.#extension));
      await rename(this.partial, path);
      await syncFolder(folder);
    } catch (error) {
      throw writeFailed(path, folder, error);
    }
    this.#over = true;
    this.#release();
    return path;
  }

  /** Leaves the partial file for the run that goes on with it. */
  async leave(): Promise<void> {
    await this.rollback();
    await this.#file?.handle.close().catch(() => undefined);
    this.#release();
  }

  /** Removes the partial file, if there is one. */
  async discard(): Promise<void> {
    await this.leave();
    if (this.#file?.isOurs === true) await unlink(this.partial).catch(() => undefined);
    this.#over = true;
  }
}

/** Gives nothing where a new file has to be begun. */
async function goOn(
  position: ChangesPosition,
  { place, log }: ChangesOptions,
): Promise<OwnFile | undefined> {
  const partial = join(place.folder, position.partial);
  if (position.bytes === 0) {
    await unlink(partial).catch(() => undefined); // nothing in it was confirmed
    return undefined;
  }
  const handle = await reopenPartial(place, position);
  if (handle === undefined) {
    log.info({ file: position.file }, 'the file of the run that broke off was complete');
    return undefined;
  }
  const { bytes, proposals } = position;
  log.info({ partial, proposals }, 'goes on with the file of the run that broke off');
  return OwnFile.of(handle, partial, place, bytes);
}
