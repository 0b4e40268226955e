import { describe, expect, it } from 'vitest';
import {
  SINK_EXAMPLES,
  sinkFromUri,
  SOURCE_EXAMPLES,
  sourceFromUri,
} from '../../src/config/uri.js';

async function refusal(attempt: Promise<unknown>): Promise<string> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ category: 'usage' });
  return (error as Error).message;
}

describe('--from', () => {
  it.each([
    ['http://host:5000', 'host:5000'],
    ['https://ann:s3cret@host/prefix', 'host/prefix'],
    ['HTTP://host', 'host'],
    ['sqlite:///mlflow.db', 'mlflow.db'],
    ['sqlite:////data/mlflow.db', '/data/mlflow.db'],
    ['sqlite+pysqlite:///mlflow.db', 'mlflow.db'],
    ['mlflow.db', 'mlflow.db'],
    ['/data/store.sqlite', '/data/store.sqlite'],
    ['./my.sqlite3', 'my.sqlite3'],
    ['proposals.json', 'proposals proposals.json'],
    ['out/proposals.ndjson.gz', 'proposals out/proposals.ndjson.gz'],
  ])('%s', async (uri, shown) => {
    const { label } = await sourceFromUri(uri);
    expect(label).toContain(shown);
    expect(label).not.toContain('s3cret');
  });

  it.each([
    ['databricks', 'Databricks workspaces are not read yet'],
    ['databricks://profile', 'Databricks workspaces are not read yet'],
    ['postgresql://ann:s3cret@host/db', 'mlflow server --backend-store-uri'],
    ['mysql+pymysql://ann:s3cret@host/db', 'mlflow server --backend-store-uri'],
    ['./mlruns', 'MLflow folders (mlruns) are not read directly'],
    ['file:///data/mlruns', 'MLflow folders (mlruns) are not read directly'],
    ['localhost:5000', 'begins with http:// or https://'],
    ['127.0.0.1:5000/x', 'begins with http:// or https://'],
    ['htpp://host:5000', 'unknown scheme "htpp", did you mean "http"?'],
    ['ftp://host', 'unknown scheme "ftp"'],
    ['nonsense', 'not understood'],
  ])('%s: %s', async (uri, message) => {
    const text = await refusal(sourceFromUri(uri));
    expect(text).toContain(message);
    expect(text).toContain(`Allowed: ${SOURCE_EXAMPLES.join(', ')}`);
    expect(text).not.toContain('s3cret');
  });
});

describe('--to', () => {
  it.each([
    ['-', 'standard output'],
    ['out.json', 'file out.json'],
    ['a/b.ndjson', 'file a/b.ndjson'],
    ['out.JSONL.gz', 'file out.JSONL.gz'],
    ['kafka://a,b:1/Topic?registry=http://r:8081', 'kafka a:9092,b:1/Topic'],
    ['kafka+ssl://u:s3cret@a?registry=http://r', 'kafka a:9092/MetadataChangeProposal_v1'],
    ['datahub+http://host:8080', 'datahub http://host:8080'],
    ['datahub+https://s3cret@host/api/gms/', 'datahub https://host/api/gms'],
    ['datahub+https://host?async=true&concurrency=8&onError=dead-letter', 'datahub https://host'],
  ])('%s', async (uri, label) => {
    expect((await sinkFromUri(uri)).label).toBe(label);
  });

  it.each([
    '-',
    'out.json',
    'a/what?.ndjson.gz',
    'kafka://a?registry=http://r',
    'datahub+http://host:8080',
  ])('%s may say what becomes of the run when it gives up', async (uri) => {
    const with_ = (value: string): string =>
      `${uri}${/\?\w+=/.test(uri) ? '&' : '?'}onError=${value}`;
    const plain = await sinkFromUri(uri);
    expect(plain.onError).toBe('fail');
    const tolerant = await sinkFromUri(with_('dead-letter'));
    expect(tolerant.onError).toBe('dead-letter');
    expect(tolerant.label).toBe(plain.label);
    expect(tolerant.path).toBe(plain.path);
    expect((await sinkFromUri(with_('fail'))).onError).toBe('fail');
    expect(await refusal(sinkFromUri(with_('deadletter')))).toContain(
      '"onError" must be "fail" or "dead-letter", not the text given, did you mean "dead-letter"?',
    );
  });

  it.each(['out.json?pretty=1', '-?pretty=1'])('%s is refused', async (uri) => {
    expect(await refusal(sinkFromUri(uri))).toContain('unknown option "pretty". Allowed: onError');
  });

  it.each([
    ['http://host:8080', 'begins with datahub+http:// or datahub+https://'],
    ['out.csv', 'not understood'],
    ['', 'not understood'],
  ])('%s: %s', async (uri, message) => {
    const text = await refusal(sinkFromUri(uri));
    expect(text).toContain(message);
    expect(text).toContain(`Allowed: ${SINK_EXAMPLES.join(', ')}`);
  });

  it.each([
    ['datahub://s3cret@host:8080', 'datahub+http:// or datahub+https://'],
    ['datahub+http://s3cret@host?token=s3cret', 'an unknown option "token"'],
    ['datahub+http://to?s3cret@host', 'an unknown option. Allowed: async'],
    ['datahub+http://s3cret@host?concurrency=many', '"concurrency" must be a number'],
    ['datahub+http://s3cret@host#x', 'is not understood'],
    ['datahub+http://s3cret@ho st', 'is not a URL'],
  ])('%s: %s', async (uri, message) => {
    const text = await refusal(sinkFromUri(uri));
    expect(text).toContain(message);
    expect(text).not.toContain('s3cret');
  });
});
