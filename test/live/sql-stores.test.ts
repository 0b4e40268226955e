/**
 * PostgreSQL and MariaDB databases that real MLflow made: read directly they give what MLflow's own
 * server gives over them, and nothing that befalls them is taken for something else.
 */

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { isPlain } from '../../src/core/pattern.js';
import type { PipelineError } from '../../src/core/errors.js';
import { modelKey, runKey, type RecordKey } from '../../src/mlflow/record-key.js';
import { openMysqlStore } from '../../src/sources/mysql/mysql-store.js';
import { openPostgresqlStore } from '../../src/sources/postgresql/postgresql-store.js';
import type { MlflowStore } from '../../src/sources/store.js';
import type { RunContext } from '../../src/stream/contracts.js';
import { mlflowSource } from '../../src/index.js';
import { runContext, sourceKit } from '../../src/testing/index.js';
import { collect, readAll } from '../sources/sqlite/reading.js';
import { runOurs } from './ours.js';
import { asSet } from './proposals.js';
import { seed } from './seed.js';
import { startMlflow } from './servers.js';
import { driversEnvironment } from './sql/install.js';
import { PASSWORD, startMariadb, startPostgresql, type DatabaseServer } from './sql/server.js';

const VERSIONS = ['1.28.0', '2.22.5', '3.17.2'] as const;

interface Options {
  readonly runsPageSize?: number;
  readonly modelsPageSize?: number;
  readonly versionsPageSize?: number;
  readonly experimentsPageSize?: number;
  readonly retries?: number;
  readonly minRetryDelayMs?: number;
  readonly timeoutMs?: number;
}

const SMALL = {
  experimentsPageSize: 3,
  runsPageSize: 4,
  modelsPageSize: 2,
  versionsPageSize: 3,
  minRetryDelayMs: 10,
};

describe.each([
  ['PostgreSQL', startPostgresql],
  ['MariaDB', startMariadb],
] as const)('%s', (_, start) => {
  let server: DatabaseServer;
  let env: Readonly<Record<string, string>>;

  const nameOf = (version: string): string => `m${version.replaceAll('.', '')}`;

  async function open(
    database: string,
    options: Options = {},
    context: RunContext = runContext(),
    password?: string,
  ): Promise<MlflowStore> {
    const uri = server.readerUri(database, password);
    const openStore = server.kind === 'postgresql' ? openPostgresqlStore : openMysqlStore;
    const store = await openStore({ uri, ...options }, context);
    onTestFinished(() => store.close());
    return store;
  }

  async function failureOf(opening: Promise<unknown>): Promise<PipelineError> {
    const error = (await opening.then(
      () => new Error('it did not fail'),
      (reason: unknown) => reason,
    )) as PipelineError;
    expect(error.message).not.toContain(PASSWORD);
    expect(error.message).not.toContain(encodeURIComponent(PASSWORD));
    return error;
  }

  beforeAll(async () => {
    env = await driversEnvironment();
    server = await start();
    await Promise.all(
      VERSIONS.map(async (version) => {
        await server.createDatabase(nameOf(version));
        await seed(version, server.writerUri(nameOf(version)), 'both', env);
      }),
    );
  });

  afterAll(async () => {
    await server.stop();
  });

  describe.each(VERSIONS)('of MLflow %s', (version) => {
    it('gives the same directly as over REST, byte for byte but for links', async () => {
      const backend = { uri: server.writerUri(nameOf(version)), env };
      const mlflow = await startMlflow(version, undefined, 1, backend);
      try {
        const direct = await runOurs(server.readerUri(nameOf(version)));
        const overRest = await runOurs(mlflow.uri);
        expect(direct.report).toMatchObject({ exitStatus: 0, outcome: 'complete' });
        expect(direct.report.counts.rejected).toBe(0);
        expect(direct.proposals.length).toBeGreaterThan(300);
        expect(asSet(direct.proposals)).toEqual(asSet(overRest.proposals));

        const histories = { mapToProposals: { metricHistory: { metrics: '.*', points: 4 } } };
        const directly = await runOurs(server.readerUri(nameOf(version)), histories);
        const asked = await runOurs(mlflow.uri, histories);
        expect(asSet(directly.proposals)).toEqual(asSet(asked.proposals));
        const [ties] = directly.proposals.filter(({ aspect }) =>
          JSON.stringify(aspect.json).includes('"name":"ties"'),
        );
        expect(ties?.aspect.json['trainingMetrics']).toEqual(
          expect.arrayContaining([
            { name: 'ties', description: 'step 1', value: '0.5', createdAt: 1_700_000_000_000 },
          ]),
        );
      } finally {
        await mlflow.stop();
      }
    });

    it('has what is in it in one workspace, where it knows any', async () => {
      const store = await open(nameOf(version));
      const { workspaces } = store;
      if (version !== '3.17.2') {
        expect(workspaces).toBeUndefined();
        return;
      }
      expect(await workspaces?.list()).toEqual(['default']);
      const [whole, named, other] = await Promise.all(
        [store, workspaces?.open('default'), workspaces?.open('team-a')].map(
          async (each) => each && (await readAll(each)),
        ),
      );
      expect(named).toEqual(whole);
      expect(other?.experiments).toEqual([]);
      expect(other?.registeredModels).toEqual([]);
      expect(other?.modelVersions).toEqual([]);
      const keys: RecordKey[] = [
        'experiment@team-a 0',
        'model@team-a plain',
        'version@team-a 1 plain',
      ];
      expect(await workspaces?.open('team-a').findGone(keys)).toEqual(new Set(keys));
    });

    it('gives the same whatever the size of pages, and knows what is gone', async () => {
      const whole = await readAll(await open(nameOf(version)));
      const store = await open(nameOf(version), SMALL);
      expect(await readAll(store)).toEqual(whole);
      const counts = await store.count();
      expect(counts.runs).toBe(whole.runs.length);
      expect(counts.modelVersions).toBe(whole.modelVersions.length);

      const there: RecordKey[] = [
        ...whole.runs.map(({ runId }) => runKey(runId)),
        ...whole.registeredModels.map(({ name }) => modelKey(name)),
      ];
      const gone: RecordKey[] = [runKey('f'.repeat(32)), modelKey("it's none"), 'experiment 99999'];
      expect(await store.findGone([...there, ...gone])).toEqual(new Set(gone));
      const ids = whole.runs.map(({ runId }) => runId);
      expect((await store.runsById([...ids, 'f'.repeat(32)])).items).toHaveLength(ids.length);
    });

    it('is looked back on, and gone on with', async () => {
      const store = await open(nameOf(version), SMALL);
      const { experiments, runs } = await readAll(store);
      const ids = experiments.map(({ experimentId }) => experimentId);
      const since = runs.map(({ startTime }) => startTime).sort()[20] ?? 0;
      const late = await collect(store.runs(ids, { since }));
      expect(late).toEqual(runs.filter(({ startTime }) => startTime >= since));
      for (const selection of [{}, { since }]) {
        const expected = await collect(store.runs(ids, selection));
        const [first] = await pagesOf(store, ids, selection, 1);
        const { lane, value } = first?.position ?? { lane: '', value: '' };
        const positions = new Map([[lane, value]]);
        const rest = await collect(store.runs(ids, { ...selection, positions }));
        expect([...(first?.items ?? []), ...rest]).toEqual(expected);
      }
    });

    it('gives all runs that it is told are wanted, and leaves out others', async () => {
      const store = await open(nameOf(version), SMALL);
      const { experiments, runs } = await readAll(store);
      const ids = experiments.map(({ experimentId }) => experimentId);
      const startedSince = runs.map(({ startTime }) => startTime).sort()[10] ?? 0;
      const statuses = ['FINISHED', 'FAILED'];
      const some = runs.filter(
        ({ startTime, status }) => startTime >= startedSince && statuses.includes(status),
      );
      const tag = some
        .flatMap(({ tags }) => tags)
        .find(({ key, value }) => isPlain(key) && isPlain(value));
      if (tag === undefined) throw new Error('no such run has a tag');
      const { key, value } = tag;
      const wanted = some.filter(({ tags }) =>
        tags.some((each) => each.key === key && each.value === value),
      );
      const hint = { startedSince, statuses, tags: [{ key, values: [value, 'none'] }] };
      const told = await collect(store.runs(ids, undefined, hint));
      expect(wanted.length).toBeGreaterThan(0);
      expect(told).toEqual(expect.arrayContaining(wanted));
      expect(told.length).toBeLessThan(runs.length);
    });
  });

  for (const check of sourceKit({
    open: () => ({
      source: mlflowSource({ uri: server.readerUri('m3172'), ...SMALL }),
    }),
    remembers: true,
  })) {
    it(`as a source: ${check.name}`, () => check.run());
  }

  it('holds nothing open between two pages', async () => {
    const store = await open('m2225', SMALL);
    const runs = store.runs(['1', '2', '3'])[Symbol.asyncIterator]();
    const versions = store.modelVersions()[Symbol.asyncIterator]();
    for (let page = 0; page < 3; page += 1) {
      expect((await runs.next()).done).not.toBe(true);
      expect((await versions.next()).done).not.toBe(true);
      expect(await server.openTransactions()).toBe(0);
    }
    // What would wait for any reader.
    await server.execute(
      'm2225',
      'ALTER TABLE runs ADD COLUMN later integer',
      'ALTER TABLE runs DROP COLUMN later',
    );
  });

  it('goes on where a connection is lost in mid-read', async () => {
    const expected = await readAll(await open('m3172'));
    const context = runContext();
    const store = await open('m3172', SMALL, context);
    const ids = expected.experiments.map(({ experimentId }) => experimentId);
    const runs = [];
    for await (const { items } of store.runs(ids)) {
      runs.push(...items);
      await server.cutConnections();
    }
    expect(runs).toEqual(expected.runs);
    expect(context.recorder.retries).toBeGreaterThan(3);
  });

  it('says who is not let in, without the password', async () => {
    const error = await failureOf(open('m2225', {}, runContext(), `${PASSWORD}x`));
    expect(error).toMatchObject({ code: 'SOURCE_UNAUTHORIZED', category: 'unavailable' });
    expect(error.message).not.toContain(`${PASSWORD}x`);
  });

  it('is trusted as its certificate says', async () => {
    const { certificates, kind } = server;
    const openStore = kind === 'postgresql' ? openPostgresqlStore : openMysqlStore;
    const opening = async (host: string, ca: string) => {
      const uri = server.verifiedUri('m2225', host, ca);
      const store = await openStore({ uri }, runContext());
      await store.close();
    };
    await opening('127.0.0.1', certificates.ca);
    await opening('localhost', certificates.ca);
    for (const [host, ca] of [
      ['127.0.0.2', certificates.ca],
      ['127.0.0.1', certificates.clientCert],
    ] as const) {
      expect(await failureOf(opening(host, ca))).toMatchObject({ code: 'SOURCE_TLS' });
    }
    await expect(opening('127.0.0.1', certificates.clientKey)).rejects.toMatchObject({
      code: 'TLS_FILE_UNREADABLE',
      category: 'usage',
    });
  });

  it('gives what stands before an empty name, and what spells a name otherwise', async () => {
    const odd = '\tCtrl';
    await server.execute(
      'm2225',
      `INSERT INTO registered_models(name, creation_time, last_updated_time) VALUES
       ('${odd}', 1, 1), ('CaseModel', 1, 1)`,
      `INSERT INTO model_versions(name, version, creation_time, last_updated_time, current_stage,
         source, status) VALUES ('${odd}', 1, 1, 1, 'None', 'file:///x', 'READY'),
       ('CaseModel', 1, 1, 1, 'None', 'file:///x', 'READY')`,
    );
    const tagged = server.kind === 'mysql' ? 'casemodel' : 'CaseModel';
    const key = server.kind === 'mysql' ? '`key`' : 'key';
    await server.execute(
      'm2225',
      `INSERT INTO registered_model_tags(name, ${key}, value) VALUES ('${tagged}', 'tier', 'gold')`,
      `INSERT INTO model_version_tags(name, version, ${key}, value)
       VALUES ('${tagged}', 1, 'checked', 'yes')`,
      `INSERT INTO registered_model_aliases(name, alias, version) VALUES ('${tagged}', 'best', 1)`,
    );
    for (const options of [{}, SMALL]) {
      const store = await open('m2225', options);
      const { registeredModels, modelVersions, rejected } = await readAll(store);
      expect(rejected).toEqual([]);
      expect(registeredModels.map(({ name }) => name)).toContain(odd);
      expect(modelVersions.map(({ name }) => name)).toContain(odd);
      expect(registeredModels.find(({ name }) => name === 'CaseModel')).toMatchObject({
        tags: [{ key: 'tier', value: 'gold' }],
        aliases: [{ alias: 'best', version: '1' }],
      });
      expect(modelVersions.find(({ name }) => name === 'CaseModel')).toMatchObject({
        tags: [{ key: 'checked', value: 'yes' }],
      });
      expect((await store.count()).registeredModels).toBe(registeredModels.length);
    }
  });

  it('says which database is none of MLflow', async () => {
    await server.createDatabase('another');
    await server.execute('another', 'CREATE TABLE runs(id integer)');
    expect(await failureOf(open('another'))).toMatchObject({ code: 'SOURCE_NOT_MLFLOW' });
    const missing = await failureOf(open('missing'));
    expect(missing.code).toMatch(/^SOURCE_(NOT_FOUND|FORBIDDEN)$/);
  });

  it('names a schema that is too old or too new', async () => {
    const [[revision] = []] = await server.execute(
      'm2225',
      'SELECT version_num FROM alembic_version',
    );
    const setRevision = (value: string) =>
      server.execute('m2225', `UPDATE alembic_version SET version_num = '${value}'`);
    onTestFinished(async () => {
      await setRevision(String(revision));
    });
    await setRevision('bd07f7e963c5');
    const old = await failureOf(open('m2225'));
    expect(old).toMatchObject({ code: 'SOURCE_TOO_OLD' });
    expect(old.message).toContain('mlflow db upgrade');

    await setRevision('0123456789ab');
    const context = runContext();
    await open('m2225', {}, context);
    expect(context.recorder.counts().warnings).toMatchObject([{ code: 'NEWER_SCHEMA' }]);

    await server.execute('m2225', 'ALTER TABLE datasets RENAME COLUMN dataset_profile TO gone');
    onTestFinished(async () => {
      await server.execute('m2225', 'ALTER TABLE datasets RENAME COLUMN gone TO dataset_profile');
    });
    const unknown = await failureOf(open('m2225'));
    expect(unknown).toMatchObject({ code: 'SOURCE_SCHEMA_UNKNOWN' });
    expect(unknown.message).toContain('datasets.dataset_profile');
  });

  it('reads a run with a million metric rows as any other', async () => {
    const before = await readAll(await open('m3172'));
    const [[runId] = []] = await server.execute('m3172', 'SELECT min(run_uuid) FROM runs');
    const numbers =
      server.kind === 'postgresql'
        ? 'generate_series(1, 1000000)'
        : '(SELECT seq FROM seq_1_to_1000000)';
    const column = server.kind === 'postgresql' ? 'n' : 'n.seq';
    await server.execute(
      'm3172',
      `INSERT INTO metrics(${server.kind === 'postgresql' ? 'key' : '`key`'}, value, timestamp, step, is_nan, run_uuid)
       SELECT 'loss', 0.5, ${column}, ${column}, ${server.kind === 'postgresql' ? 'false' : '0'}, '${String(runId)}'
       FROM ${numbers} AS n`,
    );
    expect(await readAll(await open('m3172'))).toEqual(before);
  });

  // Last: nothing answers afterwards.
  it('fails clearly where the server goes away, and at once on an abort', async () => {
    const controller = new AbortController();
    const store = await open('m3172', { ...SMALL, retries: 1 });
    const aborted = await open('m3172', SMALL, runContext({ signal: controller.signal }));
    const runs = store.runs(['1'])[Symbol.asyncIterator]();
    await runs.next();
    await server.stop();
    expect(await failureOf(runs.next())).toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      category: 'unavailable',
    });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(aborted.count()).rejects.toBe(reason);
    expect(await failureOf(open('m3172'))).toMatchObject({ code: 'SOURCE_UNREACHABLE' });
  });
});

async function pagesOf(
  store: MlflowStore,
  ids: readonly string[],
  selection: { readonly since?: number },
  number: number,
) {
  const pages = [];
  for await (const page of store.runs(ids, selection)) {
    pages.push(page);
    if (pages.length === number) break;
  }
  return pages;
}
