/**
 * What `--from` and `--to` understand. A further kind of source or sink is a further row.
 */

import { blankIn } from '../core/blanks.js';
import { didYouMean } from '../core/did-you-mean.js';
import { PipelineError } from '../core/errors.js';
import { redact } from '../core/redact.js';
import type { Sink, Source } from '../stream/contracts.js';

interface Row<T> {
  /** Before the `:` of a URI, lower-case. */
  readonly schemes: readonly string[];
  /** Takes what has no scheme, such as the name of a file. */
  readonly takes?: (text: string) => boolean;
  /** What comes after the scheme is a path, in which blanks are nothing special. */
  readonly isPath?: boolean;
  /** For messages and the help. */
  readonly examples: readonly string[];
  /** Loads the component only when it is asked for: some bring heavy libraries. */
  readonly make: (uri: string, options: SourceOptions) => Promise<T>;
}

/** What the command line says of a source besides its URI. */
export interface SourceOptions {
  /** A workspace of MLflow 3, or `*` for all of them. */
  readonly workspace?: string | undefined;
}

/** What people will try and what to tell them. */
interface Unsupported {
  readonly matches: RegExp;
  readonly advice: string;
}

const SOURCES: readonly Row<Source<unknown>>[] = [
  {
    schemes: ['http', 'https'],
    examples: ['http://host:5000', 'https://host/prefix'],
    make: mlflow,
  },
  {
    schemes: ['sqlite'],
    takes: (text) => /\.(db|sqlite3?)$/i.test(text),
    isPath: true,
    examples: ['sqlite:///mlflow.db', 'mlflow.db'],
    make: (uri, options) =>
      /^sqlite(\+\w+)?:/i.test(uri) ? mlflow(uri, options) : database(uri, options),
  },
  {
    schemes: ['postgresql', 'postgres'],
    examples: ['postgresql://user@host/mlflow'],
    make: mlflow,
  },
  {
    schemes: ['mysql', 'mariadb'],
    examples: ['mysql://user@host/mlflow'],
    make: mlflow,
  },
  {
    schemes: [],
    takes: (text) => PROPOSAL_FILE.test(text),
    examples: ['proposals.json', 'proposals.ndjson', 'either with .gz'],
    make: async (path, options) =>
      (await import('../sources/proposal-file/proposal-file-source.js')).proposalFileSource({
        path,
        ...withoutUnset(options),
      }),
  },
  {
    schemes: ['file'],
    takes: (text) => FOLDER.test(text),
    isPath: true,
    examples: ['file:///data/mlruns', './mlruns'],
    make: mlflow,
  },
];

/**
 * What is written as a path, or is called as MLflow calls it; other words are more likely mistyped.
 * The rows before have taken what ends as a file does.
 */
const FOLDER = /^(\.{0,2}[\\/]|\.{1,2}$|[a-z]:[\\/])|(^|[\\/])mlruns[\\/]?$/i;

/** What the file sinks write, ours and DataHub's. */
const PROPOSAL_FILE = /\.(json|ndjson|jsonl)(\.gz)?$/i;

const UNSUPPORTED_SOURCES: readonly Unsupported[] = [
  {
    matches: /^databricks\b/i,
    advice: 'Databricks workspaces are not read yet',
  },
  {
    matches: /^(mssql|oracle)(\+\w+)?:/i,
    advice:
      'of databases SQLite, PostgreSQL and MySQL are read directly: start `mlflow server --backend-store-uri …` ' +
      'on this one and give the address of the server',
  },
  {
    matches: /^[\w.-]+:\d+(\/|$)/,
    advice: 'the address of a server begins with http:// or https://',
  },
];

const SINKS: readonly Row<Sink>[] = [
  {
    schemes: [],
    takes: (text) => withoutOptions(text) === '-',
    examples: ['- (standard output)'],
    make: async (text) => (await import('../sinks/stdout-sink.js')).stdoutSink(optionsBehind(text)),
  },
  {
    schemes: [],
    takes: (text) => PROPOSAL_FILE.test(withoutOptions(text)),
    examples: ['out.json', 'out.ndjson', 'either with .gz'],
    make: async (text) =>
      (await import('../sinks/file/file-sink.js')).fileSink({
        path: withoutOptions(text),
        ...optionsBehind(text),
      }),
  },
  {
    schemes: ['kafka'],
    examples: ['kafka://host:9092?registry=http://host:8081'],
    make: async (uri) => (await import('../sinks/kafka/index.js')).kafkaSinkFromUri(uri),
  },
  {
    schemes: ['datahub'],
    examples: ['datahub+http://host:8080', 'datahub+https://host/api/gms'],
    make: async (uri) =>
      (await import('../sinks/datahub-rest/datahub-rest-sink.js')).dataHubRestSinkFromUri(uri),
  },
];

const UNSUPPORTED_SINKS: readonly Unsupported[] = [
  {
    matches: /^https?:/i,
    advice: "the address of DataHub's service begins with datahub+http:// or datahub+https://",
  },
];

/**
 * The source that a URI stands for: `http://host:5000/prefix`, `https://…`, `sqlite:///mlflow.db`
 * (relative: three slashes; absolute: four, as SQLAlchemy has it), the path of a database, that of a
 * file of proposals, `file:///data/mlruns` or the path of such a folder. Blanks at its ends are taken off; a file whose name begins or ends with one is
 * named as `./ name.json`, or in a configuration.
 *
 * @throws PipelineError `UNKNOWN_SOURCE` (usage), which names what is allowed; `INVALID_URI`,
 *   `INVALID_OPTIONS` (usage)
 */
export async function sourceFromUri(
  uri: string,
  options: SourceOptions = {},
): Promise<Source<unknown>> {
  const text = uri.trim();
  const row = find('--from', text, SOURCES, UNSUPPORTED_SOURCES, 'UNKNOWN_SOURCE');
  return await row.make(text, options);
}

/**
 * The sink that a URI stands for: `out.json`, `out.ndjson`, `out.json.gz`, `-` for standard output,
 * `kafka://host:9092?registry=http://host:8081`, or `datahub+http://host:8080` and
 * `datahub+https://…` for DataHub itself. Behind each may stand `?onError=dead-letter`. Blanks at its
 * ends are taken off.
 *
 * @throws PipelineError `UNKNOWN_SINK`, `INVALID_URI`, `INVALID_OPTIONS` (usage), which name what is
 *   allowed
 */
export async function sinkFromUri(uri: string): Promise<Sink> {
  const text = uri.trim();
  return await find('--to', text, SINKS, UNSUPPORTED_SINKS, 'UNKNOWN_SINK').make(text, {});
}

function find<T>(
  option: string,
  uri: string,
  rows: readonly Row<T>[],
  unsupported: readonly Unsupported[],
  code: string,
): Row<T> {
  const scheme = schemeOf(uri);
  const row = rows.find((each) =>
    scheme === undefined
      ? each.takes?.(uri)
      : // `sqlite+pysqlite:` is SQLite too: SQLAlchemy names the driver after a plus.
        each.schemes.includes(scheme) || each.schemes.includes(scheme.replace(/\+.*/, '')),
  );
  if (row !== undefined) {
    const blank = scheme === undefined || row.isPath === true ? undefined : blankIn(uri);
    if (blank === undefined) return row;
    throw new PipelineError(`${option} ${shown(uri)} ${blank}`, {
      code: 'INVALID_URI',
      category: 'usage',
    });
  }
  const advice =
    unsupported.find(({ matches }) => matches.test(uri))?.advice ??
    (scheme === undefined ? misread(uri) : suggestion(scheme, rows));
  const allowed = rows.flatMap(({ examples }) => examples).join(', ');
  throw new PipelineError(
    `${`${option} ${shown(uri)}`.trimEnd()}: ${sentence(advice)} Allowed: ${allowed}`,
    {
      code,
      category: 'usage',
    },
  );
}

/** Of an address with blanks only the scheme: what stands between them may be half of a password. */
function shown(uri: string): string {
  return redact(uri.replace(/^([a-z][a-z0-9+.-]*:\/\/).*\s.*$/is, '$1…'));
}

function sentence(text: string): string {
  return text.endsWith('?') ? text : `${text}.`;
}

function misread(uri: string): string {
  if (uri === '') return 'it is empty';
  return /\s.*:\/\//s.test(uri) ? 'there is a blank before ://' : 'not understood';
}

/** What stands behind the name of a file or standard output; a question mark within stays in it. */
const FILE_OPTIONS = /^(-|.*\.(?:json|ndjson|jsonl)(?:\.gz)?)\?([^?]*)$/i;

function withoutOptions(text: string): string {
  return FILE_OPTIONS.exec(text)?.[1] ?? text;
}

/** What `?onError=dead-letter` says. Whether the value is right, the sink finds out. */
function optionsBehind(text: string): Pick<Sink, 'onError'> {
  const options: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(FILE_OPTIONS.exec(text)?.[2] ?? '')) {
    if (name !== 'onError') {
      throw new PipelineError(
        `--to ${withoutOptions(text)}: unknown option "${name}". Allowed: onError`,
        { code: 'INVALID_URI', category: 'usage' },
      );
    }
    options[name] = value;
  }
  return options;
}

function suggestion<T>(scheme: string, rows: readonly Row<T>[]): string {
  const meant = didYouMean(
    scheme,
    rows.flatMap(({ schemes }) => schemes),
  );
  return `unknown scheme "${scheme}"${meant === undefined ? '' : `, did you mean "${meant}"?`}`;
}

/** A single letter is a drive of Windows, and `host:5000` has no scheme either. */
function schemeOf(uri: string): string | undefined {
  return /^([a-z][a-z0-9+.-]+):(?!\d)/i.exec(uri)?.[1]?.toLowerCase();
}

async function mlflow(uri: string, options: SourceOptions): Promise<Source<unknown>> {
  const { mlflowSource } = await import('../sources/mlflow-source.js');
  return mlflowSource({ uri, ...withoutUnset(options) });
}

/** A path may have a question mark in it, which a URI has not. */
async function database(path: string, options: SourceOptions): Promise<Source<unknown>> {
  const { sqliteSource } = await import('../sources/sqlite-source.js');
  return sqliteSource({ path, ...withoutUnset(options) });
}

/** Those that have no such option say so. */
function withoutUnset({ workspace }: SourceOptions): { readonly workspace?: string } {
  return workspace === undefined ? {} : { workspace };
}

/** For the help. */
export const SOURCE_EXAMPLES = SOURCES.flatMap(({ examples }) => examples);
export const SINK_EXAMPLES = SINKS.flatMap(({ examples }) => examples);
