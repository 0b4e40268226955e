import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mysqlSource, postgresqlSource } from '../../../src/index.js';
import { runContext } from '../../../src/testing/index.js';
import { temporaryFolder } from '../../support/mlflow-database.js';

/** Nobody listens there: what is wrong is told before anyone is asked. */
const HOST = '127.0.0.1:1';

async function failureOf(uri: string, env: Record<string, string> = {}): Promise<unknown> {
  const open = async () => {
    const source = uri.startsWith('mysql') ? mysqlSource({ uri }) : postgresqlSource({ uri });
    await source.open(runContext({ env }));
  };
  return open().then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('encryption is not lost by a slip of the pen', () => {
  it.each([
    [`postgresql://${HOST}/db?sslmode=verify_full`, 'sslmode is "verify_full"'],
    [`postgresql://${HOST}/db?sslmode=VERIFY-FULL`, 'verify-ca, verify-full'],
    [`postgresql://${HOST}/db?sslmod=verify-full`, 'did you mean "sslmode"'],
    [`postgresql://${HOST}/db?ssl_mode=REQUIRED`, 'did you mean "sslmode"'],
    [`mysql://${HOST}/db?ssl_mode=verify-full`, 'ssl_mode is "verify-full"'],
    [`mysql://${HOST}/db?ssl_verify_identity=yess`, 'ssl_verify_identity is "yess"'],
    [`mysql://${HOST}/db?ssl=true`, 'unknown parameter "ssl"'],
  ])('%s', async (uri, message) => {
    const error = await failureOf(uri);
    expect(error).toMatchObject({ code: 'INVALID_URI', category: 'usage' });
    expect(String(error)).toContain(message);
  });

  it("in PostgreSQL's own variable either", async () => {
    const error = await failureOf(`postgresql://${HOST}/db`, { PGSSLMODE: 'verify' });
    expect(error).toMatchObject({ code: 'INVALID_URI' });
  });

  it.each(['postgresql', 'mysql'])('nor by a file that holds no certificate: %s', async (kind) => {
    const file = join(temporaryFolder(), 'odd.pem');
    writeFileSync(file, '-----BEGIN CERTIFICATE-----\nnot one\n-----END CERTIFICATE-----\n');
    const none = join(temporaryFolder(), 'none.pem');
    writeFileSync(none, 'nothing');
    const [ca, cert, key] =
      kind === 'mysql'
        ? ['ssl_ca', 'ssl_cert', 'ssl_key']
        : ['sslmode=verify-full&sslrootcert', 'sslcert', 'sslkey'];
    for (const query of [`${ca}=${none}`, `${ca}=${none}x`, `${cert}=${file}&${key}=${file}`]) {
      const error = await failureOf(`${kind}://${HOST}/db?${query}`);
      expect(error).toMatchObject({ code: 'TLS_FILE_UNREADABLE', category: 'usage' });
      expect(String(error)).toMatch(/(none|odd)\.pem/);
    }
  });
});
