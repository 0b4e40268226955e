import { describe, expect, it } from 'vitest';
import { mysqlAddress } from '../../../src/sources/mysql/uri.js';
import { postgresqlAddress } from '../../../src/sources/postgresql/uri.js';

describe('the URI of a database', () => {
  it.each([
    ['postgresql://host/db', { host: 'host', database: 'db' }, 'postgresql://host/db'],
    [
      'postgresql+psycopg2://ann:p%40ss:w%2Frd@host:5433/my%20db?sslmode=require',
      { host: 'host', port: 5433, user: 'ann', password: 'p@ss:w/rd', database: 'my db' },
      'postgresql://host:5433/my%20db',
    ],
    // As SQLAlchemy takes it, though it ought to be encoded.
    [
      'postgres://ann:a/b?c#d@[::1]:5/x',
      { host: '::1', password: 'a/b?c#d' },
      'postgresql://[::1]:5/x',
    ],
    [
      'postgresql:///db?host=/run/pg&port=6000',
      { host: '/run/pg', port: 6000 },
      'postgresql://:6000/db',
    ],
    [
      'postgresql://host/db?user=ann&password=p%40s&connect_timeout=3',
      { user: 'ann', password: 'p@s' },
      'postgresql://host/db',
    ],
    [' postgresql://ann@/db\n', { user: 'ann', database: 'db' }, 'postgresql://localhost/db'],
  ])('%s', (uri, parts, shown) => {
    const address = postgresqlAddress(uri, 'uri');
    expect(address).toMatchObject(parts);
    expect(address.shown).toBe(shown);
  });

  it.each([
    ['mysql://ann:s3cret@host', 'names no database'],
    ['mysql://ann:s3cret@host/', 'names no database'],
    ['mysql://ann:s3cret@host:x/db', 'port'],
    ['mysql://ann:s3cret@host:70000/db', 'port'],
    ['mysql://ann:s3c ret@host/db', 'blank'],
    ['mysql:ann:s3cret', 'is not the URI of a database'],
    ['mysql://ann:s3@cret@host/db', 'has an @ too many'],
    ['mysql://ann:s3c@x/y@host/db', 'has an @ too many'],
    ['mysql://ann:s3cret@host/db?ssl_mod=REQUIRED', '"ssl_mod", did you mean "ssl_mode"'],
    ['mysql://ann:s3cret@host/db?sslmode=verify-full', 'unknown parameter "sslmode"'],
  ])('is refused without repeating it: %s', (uri, message) => {
    expect(() => mysqlAddress(uri, '"uri"')).toThrow(message);
    expect(() => mysqlAddress(uri, '"uri"')).toThrow(/mysql:\/\/user:password@host/);
    expect(() => mysqlAddress(uri, '"uri"')).not.toThrow(/s3c/);
  });
});
