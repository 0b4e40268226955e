/**
 * The workspaces of MLflow 3 that a source reads: one after the other, as if each were a store of its
 * own. Only their connections are shared.
 */

import { messageOf, PipelineError } from '../core/errors.js';
import { parseRecordKey, type RecordKey } from '../mlflow/record-key.js';
import { RECORD_KINDS, type RecordKind } from '../mlflow/records.js';
import { DEFAULT_WORKSPACE } from '../mlflow/workspace.js';
import type { OpenSource, ReadPlan, RunContext } from '../stream/contracts.js';
import { concatPages } from '../stream/pages.js';
import { chooseWorkspaces } from './choose-workspaces.js';
import { readMlflow } from './mlflow-reader.js';
import type { MlflowStore, WorkspaceLoss } from './store.js';
import { UnreadWorkspaces } from './unread-workspaces.js';
import { untilLost } from './until-lost.js';
import { ALL_WORKSPACES } from './workspace-option.js';

/**
 * Makes a source's reading side out of an open store, which is closed with it, or at once where the
 * workspace can't be read.
 *
 * @param wanted - a name, or `*` for all; undefined for what the store itself reads
 * @throws PipelineError
 * - `NO_WORKSPACES` (usage): the store has none
 * - `UNKNOWN_WORKSPACE` (usage), which names those that there are
 * - those of reading
 */
export async function readWorkspaces(
  store: MlflowStore,
  wanted: string | undefined,
  context: RunContext,
): Promise<OpenSource> {
  try {
    if (wanted === undefined) return new Workspaces(store, context);
    const workspaces = await namesOf(store, wanted, context);
    return new Workspaces(store, context, workspaces, wanted === ALL_WORKSPACES);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Those wanted, which are there. */
async function namesOf(
  store: MlflowStore,
  wanted: string,
  context: RunContext,
): Promise<readonly string[]> {
  const { uri, versionText } = store.server;
  if (store.workspaces === undefined) {
    throw new PipelineError(
      `${uri} (MLflow ${versionText}) has no workspaces, which MLflow 3.10 brought: leave out workspace`,
      { code: 'NO_WORKSPACES', category: 'usage' },
    );
  }
  return (
    store.workspaces.chosen ?? (await chooseWorkspaces(uri, store.workspaces, wanted, context))
  );
}

/** What a message says of a workspace. */
const LOSSES: Readonly<Record<WorkspaceLoss, string>> = {
  deleted: 'is not there any more',
  hidden: 'is hidden from these credentials now',
};

class Workspaces implements OpenSource {
  readonly server;
  readonly workspaces?: readonly string[];
  readonly lostWorkspaces = new Set<string>();
  readonly #store: MlflowStore;
  readonly #context: RunContext;
  /** Of the readers, in the same order. */
  readonly #names: readonly string[];
  readonly #unread: UnreadWorkspaces;
  readonly #readers: readonly OpenSource[];
  readonly #areAll: boolean;

  /** @param names - of those that are read; absent where that is the store itself */
  constructor(store: MlflowStore, context: RunContext, names?: readonly string[], areAll = false) {
    this.#areAll = areAll;
    this.#store = store;
    this.#context = context;
    if (names !== undefined) this.workspaces = names;
    this.#names = names ?? [DEFAULT_WORKSPACE];
    this.#unread = new UnreadWorkspaces(store.workspaces, context);
    const read =
      names === undefined ? [store] : names.flatMap((name) => store.workspaces?.open(name) ?? []);
    this.server = (areAll ? undefined : read[0]?.server) ?? store.server;
    this.#readers = read.map((each) => readMlflow(each, context));
  }

  /** What is said of the server as a whole comes once. */
  read(plan: ReadPlan): ReturnType<OpenSource['read']> {
    this.lostWorkspaces.clear();
    const kinds = new Set(plan.kinds);
    kinds.delete('server');
    const sections = this.#readers.map((reader, index) => () => {
      const pages = reader.read(index === 0 ? plan : { ...plan, kinds });
      const name = this.workspaces?.[index];
      return name === undefined ? pages : untilLost(pages, (error) => this.#isLost(name, error));
    });
    return concatPages([...sections, () => this.#lookAgain()]);
  }

  /** Only what each of them can say: of the others it is not known how much is missing. */
  async count(plan: ReadPlan): ReturnType<OpenSource['count']> {
    const all: Awaited<ReturnType<OpenSource['count']>>[] = [];
    for (const [index, reader] of this.#readers.entries()) {
      const name = this.workspaces?.[index];
      try {
        all.push(await reader.count(plan));
      } catch (error) {
        if (name === undefined || !(await this.#isLost(name, error))) throw error;
      }
    }
    const sums: Partial<Record<RecordKind, number>> = {};
    for (const kind of RECORD_KINDS) {
      const counts = all.flatMap((each) => each[kind] ?? []);
      if (counts.length === all.length) sums[kind] = counts.reduce((sum, count) => sum + count, 0);
    }
    return sums;
  }

  /**
   * Of a workspace that is read, record by record. Of one that is not, it is asked whether it is
   * there: if so, or nobody can say, all that is in it stays; otherwise all of it is gone.
   */
  async findGone(keys: readonly RecordKey[]): Promise<ReadonlySet<RecordKey>> {
    const gone = new Set<RecordKey>();
    const groups = new Map<string, RecordKey[]>();
    for (const key of keys) {
      const { workspace = DEFAULT_WORKSPACE } = parseRecordKey(key);
      groups.set(workspace, [...(groups.get(workspace) ?? []), key]);
    }
    for (const [workspace, some] of groups) {
      const reader = this.#readers[this.#names.indexOf(workspace)];
      if (reader !== undefined) {
        for (const key of (await reader.findGone?.(some)) ?? []) gone.add(key);
      } else if (await this.#unread.isGone(workspace)) for (const key of some) gone.add(key);
    }
    return gone;
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.close()));
    // What is the store in one of its workspaces is closed with it, and with nothing else.
    if (this.workspaces !== undefined) await this.#store.close();
  }

  /**
   * Yields nothing. Much of what is asked in a workspace that is deleted or hidden meanwhile does not
   * fail, but finds nothing: a database answers so, and a server with permissions.
   */
  async *#lookAgain(): AsyncGenerator<never> {
    const read = (this.workspaces ?? []).filter((name) => !this.lostWorkspaces.has(name));
    try {
      for (const [name, loss] of await this.#missing(read)) this.#lose(name, loss);
    } catch (error) {
      this.#context.signal.throwIfAborted();
      if (error instanceof PipelineError && error.code === 'WORKSPACE_LOST') throw error;
      // All of it has been read: a question less is no reason to fail.
      for (const name of read) this.lostWorkspaces.add(name);
      this.#context.recorder.warn(
        'WORKSPACES_NOT_CONFIRMED',
        'Whether workspaces were there until all was read could not be asked: nothing is taken for gone this time',
        messageOf(error),
      );
    }
    yield* [];
  }

  /** Those that are not there any more, or hidden, each with what a message says of it. */
  async #missing(read: readonly string[]): Promise<readonly (readonly [string, string])[]> {
    const { workspaces } = this.#store;
    if (workspaces === undefined || read.length === 0) return [];
    if (!this.#areAll) {
      const states = read.map(async (name) => [name, await workspaces.find(name)] as const);
      return (await Promise.all(states)).flatMap(([name, state]) =>
        state === 'there' ? [] : [[name, LOSSES[state]] as const],
      );
    }
    const names = new Set(await workspaces.list());
    const missing = read.filter((name) => !names.has(name));
    return missing.map((name) => [name, 'is not there any more, or hidden from these credentials']);
  }

  /** Whether a failure is that of a workspace that is lost, and the others can be gone on with. */
  async #isLost(name: string, error: unknown): Promise<boolean> {
    const loss = await this.#store.workspaces?.lossOf?.(name, error);
    if (loss === undefined) return false;
    this.#lose(name, LOSSES[loss], error);
    return true;
  }

  /** @throws PipelineError `WORKSPACE_LOST` (unavailable) where there is no other to go on with */
  #lose(name: string, what: string, cause?: unknown): void {
    this.lostWorkspaces.add(name);
    const isLast = this.lostWorkspaces.size === this.#readers.length;
    if (!isLast) {
      this.#context.recorder.warn(
        'WORKSPACE_LOST',
        'A workspace was deleted or hidden while workspaces were read: its rest is not read, and nothing is taken for gone this time',
        `${name} ${what}`,
      );
      return;
    }
    const { uri } = this.#store.server;
    const why = cause === undefined ? '' : `: ${messageOf(cause)}`;
    const others = this.#readers.length > 1 ? ', and so are all others that were read' : '';
    throw new PipelineError(`workspace ${name} of ${uri} ${what}${others}${why}`, {
      code: 'WORKSPACE_LOST',
      category: 'unavailable',
      cause,
    });
  }
}
