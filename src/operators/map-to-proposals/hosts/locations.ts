/**
 * Where files are: from addresses as Spark and MLflow have them to the names that DataHub's
 * connectors of storage give what is there.
 */

/** `platform` is absent where DataHub has no connector that reads there. */
export interface Place {
  readonly platform?: string;
  readonly name: string;
}

/** `s3://bucket/key`: scheme, host with whatever stands before it, path without a query. */
const ADDRESS = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)/i;

/** Whole, for `?` and `#` are characters of a key like any other. */
const KEY = /^[a-z0-9]+:\/\/([^/]*)(.*)$/is;

/** Of Windows: `C:\data`. */
const DRIVE = /^[a-z]:[\\/]/i;

const AZURE_HOST = /\.(?:blob|dfs)\.core\.windows\.net$/i;

/**
 * A delta table is of the platform `delta-lake`, where that connector reads: on S3, Azure.
 *
 * @param uri - or a path, which says nothing of the machine that it is on
 *
 * @example
 * placeOf('s3a://lake/sales/'); // { platform: 's3', name: 'lake/sales' }
 * placeOf('abfss://lake@acme.dfs.core.windows.net/sales'); // { platform: 'abs', name: 'lake/sales' }
 * placeOf('s3://lake/sales', { isDelta: true }); // { platform: 'delta-lake', name: 'lake/sales' }
 * placeOf('https://ada:pw@acme.com/sales.csv?sig=x'); // { name: 'acme.com/sales.csv' }
 * placeOf('/data/sales'); // { name: '/data/sales' }
 */
export function placeOf(uri: string, { isDelta = false } = {}): Place | undefined {
  const address = uri.replace(/^jdbc:/i, '');
  const fuse = /^\/dbfs(\/.*)/s.exec(address)?.[1];
  if (fuse !== undefined) return placed('dbfs', path(fuse));
  const [, scheme = '', authority = '', rest = ''] = ADDRESS.exec(address) ?? [];
  if (scheme === '' || DRIVE.test(address)) {
    return placed(undefined, isDelta ? stripped(address) : address);
  }

  switch (scheme.toLowerCase()) {
    case 's3':
    case 's3a':
    case 's3n':
      return placed(isDelta ? 'delta-lake' : 's3', objectName(address));
    case 'gs':
      return placed('gcs', objectName(address));
    case 'abfs':
    case 'abfss':
    case 'wasb':
    case 'wasbs': {
      const [container = ''] = authority.split('@');
      return placed(isDelta ? 'delta-lake' : 'abs', stripped(`${container}/${stripped(rest)}`));
    }
    case 'http':
    case 'https':
      if (AZURE_HOST.test(host(authority))) {
        return placed(isDelta ? 'delta-lake' : 'abs', stripped(rest));
      }
      // What follows a question mark may well be a signature that lets anybody read.
      return withoutCredentials(`${host(authority)}${rest}`);
    case 'dbfs':
      return placed('dbfs', path(rest));
    case 'hdfs':
      return placed('hdfs', path(`${host(authority)}/${rest}`).replace(/\/$/, ''));
    case 'file':
      return placed(undefined, isDelta ? stripped(rest) : rest);
  }
  return withoutCredentials(`${host(authority)}${rest}`);
}

/** Of an address that is not written as it should be, nobody knows what before the @ is a password. */
function withoutCredentials(name: string): Place | undefined {
  return name.includes('@') ? undefined : placed(undefined, stripped(name));
}

function placed(platform: string | undefined, name: string): Place | undefined {
  if (name === '') return undefined;
  return platform === undefined ? { name } : { platform, name };
}

/** `bucket/key` */
function objectName(address: string): string {
  const [, authority = '', key = ''] = KEY.exec(address) ?? [];
  return stripped(`${host(authority)}${key}`);
}

/** Without the credentials that people leave in addresses. */
function host(authority: string): string {
  return authority.slice(authority.lastIndexOf('@') + 1);
}

function stripped(text: string): string {
  return text.replace(/^\/+|\/+$/g, '');
}

/** With one slash where there are several, and none at its end. */
function path(text: string): string {
  return text.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
}
