import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../../src/core/errors.js';
import { postgresqlDialect } from '../../../src/sources/postgresql/dialect.js';
import { ask, type Row } from '../../../src/sources/sql/query.js';
import { type Connector, ServerDatabase } from '../../../src/sources/sql/server/server-database.js';
import { runContext } from '../../../src/testing/run-context.js';

const SETTINGS = {
  connectTimeoutMs: 1_000,
  timeoutMs: 1_000,
  retries: 4,
  minRetryDelayMs: 1,
  maxRetryDelayMs: 2,
};

/** Answers what it is asked with the number of the connection; `fails` says where it does not. */
function fake(fails: (log: readonly string[]) => boolean, context = runContext()) {
  const log: string[] = [];
  let connections = 0;
  const note = (text: string): Promise<void> => {
    log.push(text);
    return fails(log) ? Promise.reject(new Error('lost')) : Promise.resolve();
  };
  const database = new ServerDatabase(
    {
      dialect: postgresqlDialect,
      connect: async () => {
        connections += 1;
        const number = connections;
        await note(`connect ${number}`);
        return {
          begin: () => note('begin'),
          query: async ({ sql }): Promise<readonly Row[]> => {
            await note(sql);
            return [[number]];
          },
          end: () => note('end'),
          destroy: () => {
            log.push(`destroy ${number}`);
          },
        };
      },
      failure: (error) =>
        error instanceof Error && error.message === 'lost'
          ? new PipelineError('it is lost', {
              code: 'SOURCE_UNREACHABLE',
              category: 'unavailable',
              retryable: true,
            })
          : error,
    },
    SETTINGS,
    context,
  );
  return { database, log, context };
}

/** Never answers one of the steps. */
function silent(step: string, settings: object, context = runContext()) {
  const log: string[] = [];
  const note = (text: string): Promise<void> => {
    log.push(text);
    return text === step ? new Promise(() => undefined) : Promise.resolve();
  };
  const connector: Connector = {
    dialect: postgresqlDialect,
    connect: async () => {
      await note('connect 1');
      return {
        begin: () => note('begin'),
        query: async ({ sql }) => {
          await note(sql);
          return [];
        },
        end: () => note('end'),
        destroy: () => {
          log.push('destroy 1');
        },
      };
    },
    failure: (error) => error,
  };
  return { database: new ServerDatabase(connector, { ...SETTINGS, ...settings }, context), log };
}

function* both() {
  const [first] = yield* ask('a');
  const [second] = yield* ask('b');
  return [first?.[0], second?.[0]];
}

describe('a database that is a server', () => {
  it('reads over one connection, each reading in a transaction of its own', async () => {
    const { database, log } = fake(() => false);
    const read = await Promise.all([database.read(both), database.read(both)]);
    expect(read).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(log.join(' ')).toBe('connect 1 begin a b end begin a b end');
    await database.close();
    expect(log.at(-1)).toBe('destroy 1');
  });

  it('begins a reading anew over another connection where one is lost', async () => {
    const { database, log, context } = fake(
      (all) => all.filter((one) => one === 'b').length === 1 && all.at(-1) === 'b',
    );
    expect(await database.read(both)).toEqual([2, 2]);
    expect(log.join(' ')).toBe('connect 1 begin a b destroy 1 connect 2 begin a b end');
    expect(context.recorder.retries).toBe(1);
  });

  it('gives up after the retries, and sooner where nothing ever answered', async () => {
    const lost = fake((all) => all.at(-1) === 'b');
    await expect(lost.database.read(both)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    const never = fake(() => true);
    await expect(never.database.read(both)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    expect(never.log).toEqual(['connect 1', 'connect 2', 'connect 3']);
    // The next one is served all the same.
    await expect(never.database.read(both)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
  });

  it('ends a query that is on its way when the run is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const { database, log } = fake(
      (all) => {
        const isSecond = all.at(-1) === 'b';
        if (isSecond) controller.abort(reason);
        return isSecond;
      },
      runContext({ signal: controller.signal }),
    );
    await expect(database.read(both)).rejects.toBe(reason);
    expect(log.at(-1)).toBe('destroy 1');
    await expect(database.read(both)).rejects.toBe(reason);
  });

  it.each(['connect 1', 'begin', 'a', 'end'])(
    'is not waited for for ever where it says nothing to %s',
    async (step) => {
      const { database, log } = silent(step, { connectTimeoutMs: 20, timeoutMs: 20, retries: 0 });
      await expect(database.read(both)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
      if (step !== 'connect 1') expect(log.at(-1)).toBe('destroy 1');
    },
  );

  it.each(['connect 1', 'begin', 'a', 'end'])(
    'is left at once when the run is aborted while it says nothing to %s',
    async (step) => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const { database } = silent(step, {}, runContext({ signal: controller.signal }));
      setTimeout(() => {
        controller.abort(reason);
      }, 5);
      await expect(database.read(both)).rejects.toBe(reason);
    },
  );

  it('does not try again what no retry helps', async () => {
    const { database, log } = fake(() => false);
    const bug = new TypeError('ours');
    await expect(
      database.read(function* () {
        yield* ask('a');
        throw bug;
      }),
    ).rejects.toBe(bug);
    expect(log.join(' ')).toBe('connect 1 begin a destroy 1');
  });
});
