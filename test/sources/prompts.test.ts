import { describe, expect, it } from 'vitest';
import { RECORD_KINDS, type MlflowRecord } from '../../src/mlflow/records.js';
import { mapToProposals } from '../../src/operators/map-to-proposals/index.js';
import { openFileStore } from '../../src/sources/file-store/file-store.js';
import { readMlflow } from '../../src/sources/mlflow-reader.js';
import { openSqliteStore } from '../../src/sources/sqlite/sqlite-store.js';
import type { MlflowStore } from '../../src/sources/store.js';
import { narrowedPlan } from '../../src/stream/operators.js';
import { runContext } from '../../src/testing/run-context.js';
import { FileStoreFolder, runId } from '../support/file-store.js';
import { change, copyOf, valueOf } from '../support/mlflow-database.js';
import { sampleContent } from '../support/mlflow-server.js';
import { openStore, testContext } from './rest/open-store.js';
import { recordsOf } from './mlflow-reader/reading.js';

const TAGS = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }];
/** The second of `ask`; the others are not there. */
const LINKED =
  '[{"name": "gone", "version": "1"}, {"name": "ask", "version": "2"}, {"name": "ask", "version": "9"}]';

async function read(store: MlflowStore, prompts = true) {
  const context = testContext();
  const source = readMlflow(store, context);
  const kinds = new Set(RECORD_KINDS);
  const records = await recordsOf(source.read({ kinds, ...(prompts ? { prompts } : {}) }));
  return { records, warnings: context.recorder.counts().warnings };
}

/** Names of models, then versions with what they are called by, of those whose name matches. */
const namesIn = (records: readonly MlflowRecord[], name: RegExp) =>
  records.flatMap((record) => {
    if (record.kind === 'registeredModel')
      return name.test(record.model.name) ? [record.model.name] : [];
    if (record.kind !== 'modelVersion' || !name.test(record.version.name)) return [];
    const { version } = record;
    return [[version.name, version.version, ...version.aliases].join(' ')];
  });

/** `ask`, whose second version a run used, and among models one that was never tagged as a prompt. */
function contentWithPrompts() {
  const content = sampleContent();
  content.registeredModels.push({
    name: 'ask',
    tags: TAGS,
    aliases: [{ alias: 'live', version: '2' }],
  });
  for (const version of ['1', '2'])
    content.modelVersions.push({ name: 'ask', version, tags: TAGS });
  content.runs[0]?.data?.tags?.push({ key: 'mlflow.linkedPrompts', value: LINKED });
  return content;
}

function database(version: '2.22.5' | '3.17.2'): string {
  const path = copyOf(version);
  const columns = 'name, version, creation_time, last_updated_time, current_stage, source, status';
  change(
    path,
    `INSERT INTO model_versions(${columns}) VALUES ('a-prompt', 2, 5, 6, 'None', 'x', 'READY'),
     ('a-prompt', 3, 5, 6, 'Deleted_Internal', 'x', 'READY'), ('a-prompt', 4, 5, 6, 'None', 'x', 'READY')`,
    `INSERT INTO model_version_tags(name, version, key, value)
     SELECT 'a-prompt', version, 'mlflow.prompt.is_prompt', 'true' FROM model_versions
     WHERE name = 'a-prompt' AND version IN (2, 3)`,
    `INSERT INTO registered_model_aliases(name, alias, version) VALUES ('a-prompt', 'live', 2)`,
  );
  return path;
}

describe('prompts', () => {
  it('are read where an operator asks for them, and only then', () => {
    const server = { uri: 'http://host', versionText: '3.17.2', searchesExperiments: true };
    expect(narrowedPlan([mapToProposals({ prompts: true })], server)).toMatchObject({
      prompts: true,
    });
    expect(narrowedPlan([mapToProposals()], server)).not.toHaveProperty('prompts');
  });

  it.each(['2.22.5', '3.17.2'] as const)('come from a database of %s', async (version) => {
    const path = database(version);
    const store = await openSqliteStore({ path, versionsPageSize: 1 }, runContext());
    const { records } = await read(store);
    // The fourth is no prompt by its own tag.
    expect(namesIn(records, /^a-prompt$/)).toEqual(['a-prompt', 'a-prompt 1', 'a-prompt 2 live']);
    const without = await read(store, false);
    expect(namesIn(without.records, /^a-prompt$/)).toEqual([]);
    const others = (found: readonly MlflowRecord[]) => namesIn(found, /^(?!a-prompt$)/);
    expect(others(records)).toEqual(others(without.records));
    await store.close();
  });

  it('come from a folder of files', async () => {
    const prompt = { 'tags/mlflow.prompt.is_prompt': 'true' };
    const folder = new FileStoreFolder()
      .experiment('0')
      .run('0', runId(1), [], { 'tags/mlflow.linkedPrompts': LINKED })
      .model('churn')
      .version('churn', 1)
      .model('ask', { ...prompt, 'aliases/live': '2' })
      .version('ask', 1, [], prompt)
      .version('ask', 2, [], prompt);
    const store = await openFileStore({ path: folder.path }, runContext());
    const { records } = await read(store);
    const names = ['churn', 'ask', 'ask 1', 'ask 2 live', 'churn 1'];
    expect(namesIn(records, /./)).toEqual(names);
    const runs = records.flatMap((record) => (record.kind === 'run' ? [record.prompts] : []));
    expect(runs).toEqual([[{ name: 'ask', version: '2' }]]);
    expect(namesIn((await read(store, false)).records, /./)).toEqual(['churn', 'churn 1']);
    await store.close();
  });

  it.each(['2.22.5', '3.17.2'] as const)('come from a server of %s', async (flavour) => {
    const opened = await openStore({ flavour, content: contentWithPrompts() });
    const { records } = await read(opened.store);
    expect(namesIn(records, /^ask$/)).toEqual(['ask', 'ask 1', 'ask 2 live']);
    expect(namesIn(records, /^model 1$/)).toHaveLength(4);
    expect(opened.asked('registered-models/search')).toHaveLength(2);
    const linked = records.filter(
      (record) => record.kind === 'run' && record.prompts !== undefined,
    );
    expect(linked).toHaveLength(1);
    expect(linked[0]).toMatchObject({ prompts: [{ name: 'ask', version: '2' }] });

    const { store, asked } = await openStore({ flavour, content: contentWithPrompts() });
    const without = await read(store, false);
    expect(namesIn(without.records, /^ask$/)).toEqual([]);
    expect(JSON.stringify(without.records)).not.toContain('"prompts"');
    expect(asked('registered-models/search')).toHaveLength(1);
  });

  it('are not named by runs where filters leave them out', async () => {
    const { store } = await openStore({ content: contentWithPrompts() });
    const filters = [{ models: { names: { deny: ['ask'] } } }];
    const source = readMlflow(store, testContext());
    const kinds = new Set(RECORD_KINDS);
    const records = await recordsOf(source.read({ kinds, filters, prompts: true }));
    expect(namesIn(records, /^ask$/)).toEqual([]);
    expect(JSON.stringify(records)).not.toContain('"prompts"');
  });

  it('are warned of, and nothing else fails, where the server refuses to search for them', async () => {
    const { store, context } = await openStore({
      content: contentWithPrompts(),
      faults: ({ endpoint, query }) =>
        endpoint === 'model-versions/search' && query.has('filter')
          ? { kind: 'status' as const, status: 400 }
          : undefined,
    });
    const { records } = await read(store);
    expect(context.recorder.counts().warnings).toMatchObject([
      { code: 'PROMPTS_NOT_READ', count: 1 },
    ]);
    expect(namesIn(records, /^ask$/)).toEqual(['ask']);
    expect(namesIn(records, /^model 1$/)).toHaveLength(4);
  });

  it('are not asked of a server that knows none', async () => {
    const { store, asked } = await openStore({ flavour: '1.28.0', content: contentWithPrompts() });
    expect(namesIn((await read(store)).records, /^ask$/)).toEqual([]);
    expect(asked('registered-models/search')).toHaveLength(1);
    expect(asked('model-versions/search')).toHaveLength(1);
  });

  it('are not followed from a run whose tag is malformed, which is told', async () => {
    const path = copyOf('3.17.2');
    const id = valueOf(path, `SELECT min(run_uuid) FROM runs WHERE lifecycle_stage = 'active'`);
    change(
      path,
      `INSERT INTO tags(key, value, run_uuid) VALUES ('mlflow.linkedPrompts', '{}', '${String(id)}')`,
    );
    const store = await openSqliteStore({ path }, runContext());
    const { records, warnings } = await read(store);
    expect(warnings).toMatchObject([
      { code: 'MALFORMED_LINKED_PROMPTS', examples: [`run ${String(id)}`] },
    ]);
    expect(JSON.stringify(records)).not.toContain('"prompts"');
    await store.close();
  });
});
