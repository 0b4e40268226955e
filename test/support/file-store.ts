/**
 * A small store in the layout that MLflow writes, in a folder of its own that is gone after the test.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Paths in it, and what is in the files. */
export type Files = Readonly<Record<string, string>>;

export class FileStoreFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'mlruns-'));

  constructor() {
    onTestFinished(() => {
      rmSync(this.path, { recursive: true, force: true });
    });
  }

  write(files: Files): this {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.path, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    return this;
  }

  folder(...names: readonly string[]): this {
    for (const name of names) mkdirSync(join(this.path, name), { recursive: true });
    return this;
  }

  remove(name: string): this {
    rmSync(join(this.path, name), { recursive: true });
    return this;
  }

  experiment(id: string, meta: string[] = [], files: Files = {}): this {
    return this.write({
      [`${id}/meta.yaml`]: yaml([
        `artifact_location: file:///artifacts/${id}`,
        'creation_time: 1700000000000',
        `experiment_id: '${id}'`,
        'last_update_time: 1700000000000',
        'lifecycle_stage: active',
        `name: experiment ${id}`,
        ...meta,
      ]),
      ...inFolder(id, files),
    });
  }

  run(experimentId: string, id: string, meta: string[] = [], files: Files = {}): this {
    const path = `${experimentId}/${id}`;
    this.folder(`${path}/artifacts`, `${path}/metrics`, `${path}/params`);
    return this.write({
      [`${path}/meta.yaml`]: yaml([
        `artifact_uri: file:///artifacts/${path}`,
        'end_time: 1700000060000',
        "entry_point_name: ''",
        `experiment_id: '${experimentId}'`,
        'lifecycle_stage: active',
        `run_id: '${id}'`,
        `run_uuid: '${id}'`,
        "source_name: ''",
        'source_type: 4',
        'start_time: 1700000000000',
        'status: 3',
        'tags: []',
        'user_id: ada',
        ...meta,
      ]),
      ...inFolder(path, files),
    });
  }

  model(name: string, files: Files = {}): this {
    return this.write({
      [`models/${name}/meta.yaml`]: yaml([
        'creation_timestamp: 1700000000000',
        'description: null',
        'last_updated_timestamp: 1700000000000',
        `name: '${name}'`,
      ]),
      ...inFolder(`models/${name}`, files),
    });
  }

  version(name: string, version: number, meta: string[] = [], files: Files = {}): this {
    const path = `models/${name}/version-${version}`;
    return this.write({
      [`${path}/meta.yaml`]: yaml([
        'creation_timestamp: 1700000000000',
        'current_stage: None',
        'description: null',
        'last_updated_timestamp: 1700000000000',
        `name: '${name}'`,
        'run_id: null',
        'source: file:///artifacts/model',
        'status: READY',
        `version: ${version}`,
        ...meta,
      ]),
      ...inFolder(path, files),
    });
  }
}

/** 32 hexadecimal digits, in the order of the numbers. */
export function runId(number: number): string {
  return number.toString(16).padStart(32, '0');
}

/** Of a key that comes twice the last one counts. */
function yaml(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

function inFolder(folder: string, files: Files): Files {
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]),
  );
}
