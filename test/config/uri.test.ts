import { describe, expect, it } from 'vitest';
import {
  SINK_EXAMPLES,
  sinkFromUri,
  SOURCE_EXAMPLES,
  sourceFromUri,
} from '../../src/config/uri.js';
import { dataHubRestSink } from '../../src/sinks/datahub-rest/datahub-rest-sink.js';
import { mlflowSource } from '../../src/sources/mlflow-source.js';
import { restSource } from '../../src/sources/rest-source.js';

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
    ['sqlite:///mlflow.db', 'mlflow sqlite:///mlflow.db'],
    ['sqlite:////data/mlflow.db', '/data/mlflow.db'],
    ['sqlite+pysqlite:///mlflow.db', 'mlflow sqlite:///mlflow.db'],
    ['mlflow.db', 'mlflow sqlite:///mlflow.db'],
    ['what?.db', 'mlflow sqlite:///what?.db'],
    ['/data/store.sqlite', '/data/store.sqlite'],
    ['./my.sqlite3', 'my.sqlite3'],
    ['postgresql://ann:s3cret@host/db', 'mlflow postgresql://host/db'],
    ['postgresql+psycopg2://host:5433/db?password=s3cret', 'mlflow postgresql://host:5433/db'],
    ['mysql+pymysql://ann:s3cret@host/db?charset=utf8mb4', 'mlflow mysql://host/db'],
    ['mariadb+pymysql://host/db', 'mlflow mysql://host/db'],
    ['proposals.json', 'proposals proposals.json'],
    ['out/proposals.ndjson.gz', 'proposals out/proposals.ndjson.gz'],
    [' http://host:5000/prefix\n', 'mlflow http://host:5000/prefix'],
    ['\u00a0sqlite:///my store.db ', 'mlflow sqlite:///my store.db'],
    [' my store.db ', 'mlflow sqlite:///my store.db'],
    ['my proposals.json\t', 'proposals my proposals.json'],
    ['./ odd.json', 'proposals ./ odd.json'],
    ['./mlruns', '/mlruns'],
    ['mlruns', '/mlruns'],
    ['/data/store', 'mlflow file:///data/store'],
    ['file:///data/my%20runs', 'mlflow file:///data/my%20runs'],
    ['..', 'mlflow file:///'],
  ])('%s', async (uri, shown) => {
    const { label } = await sourceFromUri(uri);
    expect(label).toContain(shown);
    expect(label).not.toContain('s3cret');
  });

  it.each([
    ['databricks', 'Databricks workspaces are not read yet'],
    ['databricks://profile', 'Databricks workspaces are not read yet'],
    ['mssql+pyodbc://ann:s3cret@host/db', 'mlflow server --backend-store-uri'],
    ['localhost:5000', 'begins with http:// or https://'],
    ['127.0.0.1:5000/x', 'begins with http:// or https://'],
    ['htpp://host:5000', 'unknown scheme "htpp", did you mean "http"?'],
    ['ftp://host', 'unknown scheme "ftp"'],
    ['nonsense', 'not understood'],
    [' ', '--from: it is empty'],
    ['ht tp://host', 'there is a blank before ://'],
    ['oracle://ann:s3cret word@host/db', '--from oracle://…: of databases SQLite, PostgreSQL'],
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
    [' - ', 'standard output'],
    [' my out.json ', 'file my out.json'],
    [' datahub+http://host:8080\n', 'datahub http://host:8080'],
    [' kafka://a?registry=http://r ', 'kafka a:9092/MetadataChangeProposal_v1'],
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
    ['', '--to: it is empty'],
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
    ['datahub+http://s3cret@h[o]st', 'is not a URL'],
  ])('%s: %s', async (uri, message) => {
    const text = await refusal(sinkFromUri(uri));
    expect(text).toContain(message);
    expect(text).not.toContain('s3cret');
  });
});

describe('a blank in an address', () => {
  it.each([
    ['--from', 'http://my host:5000', 'http://… has a blank (character 10)'],
    ['--from', ' http://host:5000/my prefix', 'http://… has a blank (character 20)'],
    ['--from', 'https://ann:s3cret s3cret@host', 'https://… has a blank (character 19)'],
    ['--from', 'http://ho\tst', 'http://… has a blank (character 10)'],
    ['--to', 'datahub+http://s3cret s3cret@host', 'datahub+http://… has a blank (character 22)'],
    ['--to', 'kafka://u:s3cret s3cret@a?registry=http://r', 'kafka://… has a blank (character 17)'],
    ['--to', 'kafka://a?registry=http://r &ca=x', 'kafka://… has a blank (character 28)'],
  ])('%s %s', async (option, uri, message) => {
    const text = await refusal(option === '--from' ? sourceFromUri(uri) : sinkFromUri(uri));
    expect(text).toContain(`${option} ${message}`);
    expect(text).toContain('write %20');
    expect(text).not.toContain('s3cret');
  });

  it.each([
    () => restSource({ uri: 'http://ann:s3cret s3cret@host' }),
    () => restSource({ uri: 'http://host', registryUri: 'http://s3cret s3cret@host' }),
    () => mlflowSource({ uri: 'https://s3cret s3cret@host' }),
    () => dataHubRestSink({ url: 'http://s3cret s3cret@host' }),
  ])('in a configuration: %s', (make) => {
    let failure: unknown;
    try {
      make();
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ code: 'INVALID_URI', category: 'usage' });
    expect(String(failure)).toMatch(/(uri|registryUri|"url") has a blank \(character \d+\)/);
    expect(String(failure)).not.toContain('s3cret');
  });

  it('is none at the ends, in a configuration too', () => {
    expect(restSource({ uri: ' http://host:5000 ' }).label).toBe('mlflow http://host:5000');
    expect(mlflowSource({ uri: ' sqlite:///my store.db ' }).label).toBe(
      'mlflow sqlite:///my store.db',
    );
    expect(dataHubRestSink({ url: ' http://host:8080 ' }).label).toBe('datahub http://host:8080');
  });
});
