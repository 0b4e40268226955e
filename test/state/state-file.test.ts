import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import { describe, expect, it } from 'vitest';
import { inspectState, resetState } from '../../src/state/inspect.js';
import { deliver, experimentRecord, openState, proposal, runRecord, statePath } from './support.js';

/** A state with a few hundred entities, closed. */
function filled(path = statePath()): string {
  const state = openState({ path });
  const proposals = Array.from({ length: 400 }, (_, n) =>
    proposal(`urn:li:tag:${n}`, { n }, { origin: `model m${n}` }),
  );
  deliver(state, proposals, { records: [runRecord('r1', { status: 'RUNNING' })] });
  deliver(state, [proposal('urn:li:container:1', {})], { records: [experimentRecord('1', 'one')] });
  state.complete(1_700_000_000_001, new Map());
  state.close();
  return path;
}

const openError = (path: string, pipeline = 'http://host:5000') => {
  try {
    openState({ path }, { pipeline }).close();
  } catch (error) {
    return error;
  }
  throw new Error('it was opened');
};

const usage = (code: string, text: string) => ({
  code,
  category: 'usage',
  message: expect.stringContaining(text) as string,
});

const unavailable = (code: string, text: string) => ({
  ...usage(code, text),
  category: 'unavailable',
});

describe('a state file', () => {
  it('is one file when nobody uses it', () => {
    const path = filled();
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(existsSync(`${path}-shm`)).toBe(false);
  });

  it('is refused while another process has it, and free once that is killed', async () => {
    const path = filled();
    const script = `
      const Libsql = require('libsql');
      const database = new Libsql(${JSON.stringify(path)});
      database.prepare('PRAGMA locking_mode=EXCLUSIVE').all();
      database.exec('BEGIN EXCLUSIVE');
      console.log('locked');
      setInterval(() => database.open, 1000);`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    try {
      expect(openError(path)).toMatchObject(unavailable('STATE_LOCKED', 'another process'));
      expect(() => { resetState(path); }).toThrow('another process');
      expect(existsSync(path)).toBe(true);
    } finally {
      child.kill('SIGKILL');
      await exited;
    }
    openState({ path }).close();
  });

  it('is refused while this process has it', () => {
    const path = statePath();
    const state = openState({ path });
    expect(openError(path)).toMatchObject(unavailable('STATE_LOCKED', 'in use'));
    state.close();
    openState({ path }).close();
  });

  it('of a newer version is left alone', () => {
    const path = filled();
    const database = new Libsql(path);
    database.exec('PRAGMA user_version=99');
    database.close();
    const before = readFileSync(path);
    expect(openError(path)).toMatchObject(usage('STATE_NEWER', 'upgrade'));
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('of another pipeline is left alone', () => {
    const path = filled();
    expect(openError(path, 'http://other:5000')).toMatchObject(
      usage('STATE_OF_ANOTHER', 'reads http://host:5000, and this one reads http://other:5000'),
    );
    openState({ path }).close();
  });

  it('that is something else is left alone, also by a reset', () => {
    const text = statePath();
    writeFileSync(text, 'notes of mine, which are long enough to be looked at '.repeat(40));
    const database = statePath();
    new Libsql(database).exec('CREATE TABLE runs(run_uuid TEXT)');
    for (const path of [text, database]) {
      const before = readFileSync(path);
      expect(openError(path)).toMatchObject(usage('NOT_A_STATE_FILE', 'a file of its own'));
      expect(() => { resetState(path); }).toThrow('something else');
      expect(readFileSync(path).equals(before)).toBe(true);
    }
  });

  it('cut off in the middle is found, and can be reset', () => {
    const path = filled();
    truncateSync(path, Math.floor(statSync(path).size / 2));
    expect(openError(path)).toMatchObject(unavailable('STATE_DAMAGED', '`state reset`'));
    expect(() => inspectState(path)).toThrow('is damaged');
    resetState(path);
    expect(existsSync(path)).toBe(false);
    openState({ path }).close();
  });

  it('with a page overwritten is found', () => {
    const path = filled();
    const size = statSync(path).size;
    const descriptor = openSync(path, 'r+');
    for (let page = 2; page < size / 4096; page += 1) {
      writeSync(descriptor, Buffer.alloc(2048, 0x5a), 0, 2048, page * 4096);
    }
    closeSync(descriptor);
    expect(openError(path)).toMatchObject(unavailable('STATE_DAMAGED', 'sound copy'));
  });

  it('in a folder that is not there, or in place of one, is a clear error', () => {
    const folder = mkdtempSync(join(tmpdir(), 'state-'));
    expect(openError(join(folder, 'no', 'such.state'))).toMatchObject(
      unavailable('STATE_UNWRITABLE', 'such.state'),
    );
    mkdirSync(join(folder, 'folder.state'));
    expect(openError(join(folder, 'folder.state'))).toMatchObject(
      unavailable('STATE_UNWRITABLE', 'folder.state'),
    );
  });

  it('survives a kill in the middle of a page', async () => {
    const path = filled();
    const script = `
      const Libsql = require('libsql');
      const database = new Libsql(${JSON.stringify(path)});
      database.prepare('PRAGMA journal_mode=WAL').all();
      database.exec('BEGIN');
      database.exec("UPDATE entities SET sent = '{}', seen = 77");
      console.log('in the middle');
      setInterval(() => database.open, 1000);`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGKILL');
    await exited;
    const state = openState({ path });
    expect(deliver(state, [proposal('urn:li:tag:7', { n: 7 })])).toEqual([]);
    state.close();
  });
});

describe('inspectState', () => {
  it('says what the file holds and changes nothing', () => {
    const path = filled();
    const before = readFileSync(path);
    const facts = inspectState(path);
    expect(facts).toMatchObject({
      path,
      bytes: before.length,
      pipeline: 'http://host:5000',
      entities: { container: 1, tag: 400 },
      removed: 0,
      openRuns: 1,
      sinks: [{ sink: 'a', entities: 401, lastFullSweep: 1 }],
      sweeps: [{ sweep: 1, kind: 'full', completedAt: '2023-11-14T22:13:20.001Z' }],
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('says that there is none, and makes none', () => {
    const path = statePath();
    expect(() => inspectState(path)).toThrow('is not there');
    expect(() => { resetState(path); }).toThrow('is not there');
    expect(existsSync(path)).toBe(false);
  });
});
