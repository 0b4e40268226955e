/**
 * Reading of files and folders that others may write and remove meanwhile, a bounded number at a time.
 *
 * What has vanished is absent, which is no error. What can't be used for a reason of its own, such as
 * a missing permission, throws a `BrokenFile`. A disk or network drive that fails ends the run.
 */

import * as fs from 'node:fs';
import { opendir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { messageOf, PipelineError } from '../../core/errors.js';
import { BrokenFile } from './broken-file.js';
import { LastMetric, type MetricValue } from './last-metric.js';
import { LastModelMetrics, type ModelMetricJson } from './last-model-metrics.js';
import type { Meta, MetaParser } from './meta-yaml.js';

// With the handles of `fs/promises` a small file takes five times as long.
const open = promisify(fs.open);
const read = promisify(fs.read);
const close = promisify(fs.close);
const stat = promisify(fs.stat);
const readdir = promisify(fs.readdir);

const META = 'meta.yaml';

/** Larger than any tag that MLflow takes, which is what is largest; a file is held whole. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** Of a pool still; most tags and parameters are shorter. */
const FIRST_READ_BYTES = 2 * 1024;
const METRIC_READ_BYTES = 64 * 1024;

/** MLflow writes a `meta.yaml` in place, and itself waits so when it finds one that is empty. */
const EMPTY_META_WAITS_MS = [100, 200];

/** A pipe under the name of a file must not be waited for. Windows has no such flag: undefined is 0 here. */
const READ = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;

/** Takes a file in pieces, and gives at its end what it made of them. */
export interface Taker<T> {
  add(piece: Uint8Array): void;
  end(): T;
}

export interface KeyValueJson {
  readonly key: string;
  readonly value: string;
}

export class StoreFolder {
  readonly #parse: MetaParser;
  readonly #signal: AbortSignal;
  #free: number;
  #lengthRead = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(parse: MetaParser, maxOpenFiles: number, signal: AbortSignal) {
    this.#parse = parse;
    this.#free = maxOpenFiles;
    this.#signal = signal;
  }

  /** Of all texts so far, in bytes. */
  get lengthRead(): number {
    return this.#lengthRead;
  }

  /** Names of the folders in a folder, and of links to such; absent where there is none. */
  async subfolders(path: string): Promise<readonly string[] | undefined> {
    const entries = await this.#list(path);
    if (entries === undefined) return undefined;
    const names: string[] = [];
    for (const entry of entries) {
      if (await this.#isKind(path, entry, 'isDirectory')) names.push(entry.name);
    }
    return names;
  }

  /**
   * The same in pieces, for folders of any size. Links are given, too, whatever they lead to.
   *
   * @returns whether the folder is there
   */
  async eachSubfolder(
    path: string,
    pieceSize: number,
    take: (names: readonly string[]) => boolean,
  ): Promise<boolean> {
    const found = await this.#open(path, async () => {
      let piece: string[] = [];
      // It closes the folder, however the loop ends.
      for await (const entry of await opendir(path, { bufferSize: 512 })) {
        if (!entry.isDirectory() && !entry.isSymbolicLink()) continue;
        piece.push(entry.name);
        if (piece.length < pieceSize) continue;
        this.#signal.throwIfAborted();
        if (!take(piece)) return true;
        piece = [];
      }
      if (piece.length > 0) take(piece);
      return true;
    });
    return found ?? false;
  }

  async isFolder(path: string): Promise<boolean> {
    const stats = await this.#open(path, () => stat(path));
    return stats?.isDirectory() ?? false;
  }

  async exists(path: string): Promise<boolean> {
    return (await this.#open(path, () => stat(path))) !== undefined;
  }

  /** The whole of a small file; absent where there is none. */
  async text(path: string): Promise<string | undefined> {
    return this.#file(path, async (file) => {
      let bytes = Buffer.allocUnsafe(FIRST_READ_BYTES);
      let length = 0;
      for (;;) {
        const { bytesRead } = await read(file, bytes, length, bytes.length - length, length);
        length += bytesRead;
        // Of a file, unlike of a network's connection, less than asked for is the rest.
        if (length < bytes.length) {
          this.#lengthRead += length;
          return bytes.toString('utf8', 0, length);
        }
        if (length > MAX_FILE_BYTES) {
          throw new BrokenFile(`it is larger than ${MAX_FILE_BYTES} bytes`);
        }
        bytes = Buffer.concat([bytes], Math.min(bytes.length * 4, MAX_FILE_BYTES + 1));
      }
    });
  }

  /** The `meta.yaml` in a folder; absent where there is none. */
  async meta(folder: string): Promise<Meta | undefined> {
    const path = join(folder, META);
    return naming(META, async () => {
      let text = await this.text(path);
      for (const waitMs of EMPTY_META_WAITS_MS) {
        if (text?.trim() !== '') break;
        await sleep(waitMs, undefined, { signal: this.#signal });
        text = await this.text(path);
      }
      return text === undefined ? undefined : this.#parse(text);
    });
  }

  hasMeta(folder: string): Promise<boolean> {
    return this.exists(join(folder, META));
  }

  /** Tags or parameters: keys with a slash are paths. Absent where there is no such folder. */
  async keyValues(folder: string): Promise<KeyValueJson[] | undefined> {
    return this.#eachFile(folder, async (path, key) => {
      const value = await this.text(path);
      return value === undefined ? undefined : { key, value };
    });
  }

  /**
   * What is taken out of a file of any size, piece by piece; absent where there is none.
   *
   * @param open - makes what takes it, once there is one
   */
  async outOf<T>(path: string, open: () => Taker<T>): Promise<T | undefined> {
    return this.#file(path, (file) => fed(file, open()));
  }

  /** By key the value that counts. Absent where there is no such folder. */
  async metrics(folder: string): Promise<({ readonly key: string } & MetricValue)[] | undefined> {
    return this.#eachFile(folder, async (path, key) => {
      const value = await this.#file(path, (file) => fed(file, new LastMetric()));
      return value === undefined ? undefined : { key, ...value };
    });
  }

  /** By key and dataset the value that counts. Absent where there is no such folder. */
  async modelMetrics(
    folder: string,
  ): Promise<({ readonly key: string } & ModelMetricJson)[] | undefined> {
    const found = await this.#eachFile(folder, async (path, key) => {
      const values = await this.#file(path, (file) => fed(file, new LastModelMetrics()));
      return values?.map((value) => ({ key, ...value }));
    });
    return found?.flat();
  }

  /** What `use` makes of each file under a folder. Links to folders are not followed, as in MLflow. */
  async #eachFile<T>(
    folder: string,
    use: (path: string, key: string) => Promise<T | undefined>,
    prefix = '',
  ): Promise<T[] | undefined> {
    const entries = await this.#list(folder);
    if (entries === undefined) return undefined;
    const found = await Promise.all(
      entries.map(async (entry): Promise<readonly (T | undefined)[]> => {
        const path = join(folder, entry.name);
        const key = `${prefix}${entry.name}`;
        if (entry.isDirectory()) return (await this.#eachFile(path, use, `${key}/`)) ?? [];
        if (!(await this.#isKind(folder, entry, 'isFile'))) return [];
        return [await naming(key, () => use(path, key))];
      }),
    );
    return found.flat().filter((item) => item !== undefined);
  }

  async #list(path: string): Promise<readonly fs.Dirent[] | undefined> {
    return naming(`folder ${basename(path)}`, () =>
      this.#open(path, () => readdir(path, { withFileTypes: true })),
    );
  }

  async #isKind(
    folder: string,
    entry: fs.Dirent,
    kind: 'isFile' | 'isDirectory',
  ): Promise<boolean> {
    if (!entry.isSymbolicLink()) return entry[kind]();
    const path = join(folder, entry.name);
    const stats = await this.#open(path, () => stat(path)).catch((error: unknown) => {
      if (error instanceof BrokenFile) return undefined;
      throw error;
    });
    return stats?.[kind]() ?? false;
  }

  #file<T>(path: string, use: (file: number) => Promise<T>): Promise<T | undefined> {
    return this.#open(path, async () => {
      const file = await open(path, READ);
      try {
        return await use(file);
      } finally {
        await close(file);
      }
    });
  }

  /** Waits for its turn, so that no more are open than may be. */
  async #open<T>(path: string, work: () => Promise<T>): Promise<T | undefined> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      this.#signal.throwIfAborted();
      return await work();
    } catch (error) {
      if (isVanished(error)) return undefined;
      throw failure(error, path);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

/** What is taken out of a file that may be of any size. */
async function fed<T>(file: number, last: Taker<T>): Promise<T> {
  const buffer = Buffer.allocUnsafe(METRIC_READ_BYTES);
  for (;;) {
    const { bytesRead } = await read(file, buffer, 0, buffer.length, null);
    if (bytesRead > 0) last.add(buffer.subarray(0, bytesRead));
    if (bytesRead < buffer.length) return last.end();
  }
}

/** Says of a broken file which it is. */
async function naming<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BrokenFile)) throw error;
    throw new BrokenFile(`${name}: ${error.message}`, error.content);
  }
}

/** ESTALE is how a network drive says it. */
function isVanished(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ESTALE'].includes(codeOf(error));
}

/** ESPIPE and ENXIO are of pipes and sockets under the name of a file. */
const OF_ITS_OWN = new Set([
  ...['EACCES', 'EPERM', 'ELOOP', 'EISDIR', 'ENAMETOOLONG', 'ENXIO', 'ESPIPE'],
]);

function failure(error: unknown, path: string): unknown {
  const code = codeOf(error);
  if (code === '' || error instanceof PipelineError) return error;
  if (OF_ITS_OWN.has(code)) return new BrokenFile(`it can't be read (${code})`);
  return new PipelineError(
    `${path} can't be read: ${messageOf(error)}. Check the disk or the network drive that it is on` +
      (code === 'EMFILE' ? ', or lower maxOpenFiles' : ''),
    { code: 'SOURCE_UNREADABLE', category: 'unavailable', cause: error },
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}
