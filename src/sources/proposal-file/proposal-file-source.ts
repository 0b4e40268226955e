/**
 * A file of proposals as a source: to send again, to move, to test.
 */

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { messageOf, PipelineError } from '../../core/errors.js';
import { isGzip } from '../../core/gzip.js';
import { parseOptions } from '../../core/options.js';
import type { Proposal } from '../../datahub/proposal.js';
import type { OpenSource, Page, Rejection, RunContext, Source } from '../../stream/contracts.js';
import { DamagedGzipError, readBytes } from './bytes.js';
import { identityOf, readProposal, UnusableError } from '../../datahub/read-proposal.js';
import { BrokenTextError, LineSplitter, ListSplitter, type Piece, type Splitter } from './split.js';

export const proposalFileSourceSchema = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe(
      'The file to read: .json (a list of proposals), .ndjson or .jsonl (one a line), each also with .gz',
    ),
  pageSize: z
    .int()
    .min(1)
    .max(100_000)
    .default(250)
    .describe('Proposals in a page; fewer where they are large'),
  maxProposalBytes: z
    .int()
    .min(1)
    .max(512 * 1024 * 1024)
    .default(64 * 1024 * 1024)
    .describe('Longest text of a proposal; a longer one is set aside without being held'),
});

export type ProposalFileSourceOptions = z.input<typeof proposalFileSourceSchema>;

type Settings = z.output<typeof proposalFileSourceSchema>;

/** File names that this source reads. */
export const PROPOSAL_FILE = /\.(json|ndjson|jsonl)(\.gz)?$/i;

/**
 * Reads what `fileSink` or DataHub's own file sink wrote, a page at a time and never as a whole.
 * What is read are proposals already: no operator that takes MLflow's records has a place behind it.
 *
 * A value that is no proposal, or one of a kind that is not sent on (a metadata change event, another
 * change type than UPSERT and PATCH), goes to the dead-letter file with its line, and the reading
 * goes on. A file that ends too early ends the run, after what stands before has been delivered;
 * a compressed one that is damaged may lack the last 64 KiB of that.
 *
 * Errors: `UNKNOWN_FORMAT` (also for a compressed file that is not named .gz), `INVALID_OPTIONS`
 * (usage); `SOURCE_UNREADABLE` for a file that is not there or may not be read; `SOURCE_CUT_OFF`.
 *
 * @example
 * definePipeline({
 *   source: proposalFileSource({ path: 'mlflow-proposals.json' }),
 *   operators: [],
 *   sinks: [dataHubRestSink({ url: 'http://localhost:8080' })],
 * });
 */
export function proposalFileSource(options: ProposalFileSourceOptions): Source<Proposal> {
  const settings = parseOptions('proposalFileSource', proposalFileSourceSchema, options);
  const { path } = settings;
  if (!PROPOSAL_FILE.test(path)) {
    throw new PipelineError(
      `proposalFileSource: ${path} is not named like a file of proposals: .json, .ndjson or .jsonl, ` +
        'each also with .gz',
      { code: 'UNKNOWN_FORMAT', category: 'usage' },
    );
  }
  return {
    label: `proposals ${path}`,
    path,
    gives: 'proposal',
    open: async (context) => {
      await requireReadable(path);
      return open(settings, context);
    },
  };
}

function open(settings: Settings, context: RunContext): OpenSource<Proposal> {
  const { path } = settings;
  return {
    server: {
      uri: path,
      versionText: 'a file of proposals',
      searchesExperiments: true,
    },
    read: () => readPages(settings, context),
    count: () => Promise.resolve({}),
    close: () => Promise.resolve(),
  };
}

/** In UTF-16 units of text: of large proposals, fewer make a page. */
const LARGEST_PAGE = 8 * 1024 * 1024;

/** An async generator keeps the order of overlapping calls, and reads for a call alone. */
async function* readPages(
  settings: Settings,
  context: RunContext,
): AsyncGenerator<Page<Proposal>, void> {
  const { pageSize } = settings;
  let records: Proposal[] = [];
  let rejected: Rejection[] = [];
  let length = 0;
  const page = (): Page<Proposal> => {
    const full = { records, rejected };
    context.recorder.read('proposal', records.length);
    records = [];
    rejected = [];
    length = 0;
    return full;
  };
  let failure: unknown;
  try {
    let count = 0;
    for await (const some of pieces(settings)) {
      for (const piece of some) {
        count += 1;
        length += piece.text.length;
        try {
          records.push(proposalIn(piece, settings));
        } catch (error) {
          rejected.push(rejectionOf(piece, count, error, settings));
        }
        if (records.length + rejected.length >= pageSize || length >= LARGEST_PAGE) yield page();
      }
    }
  } catch (error) {
    failure = error;
  }
  if (records.length + rejected.length > 0) yield page();
  if (failure !== undefined) throw unreadable(settings.path, failure);
}

/** The values of the file, those of a chunk at a time. */
async function* pieces({
  path,
  maxProposalBytes,
}: Settings): AsyncGenerator<Iterable<Piece>, void> {
  const gzip = path.toLowerCase().endsWith('.gz');
  const splitter: Splitter = hasLines(path)
    ? new LineSplitter(maxProposalBytes)
    : new ListSplitter(maxProposalBytes);
  let start = true;
  for await (const chunk of readBytes(path, gzip)) {
    if (start && !gzip && isGzip(chunk)) {
      throw misnamed(path);
    }
    const bytes = start ? withoutByteOrderMark(chunk) : chunk;
    start = false;
    yield splitter.push(bytes);
  }
  yield splitter.end();
}

function hasLines(path: string): boolean {
  return /\.(ndjson|jsonl)(\.gz)?$/i.test(path);
}

/** Without a word on it, each line of what is compressed would be set aside. */
function misnamed(path: string): PipelineError {
  return new PipelineError(`${path} is compressed: name it ${basename(path)}.gz`, {
    code: 'UNKNOWN_FORMAT',
    category: 'usage',
  });
}

const BYTE_ORDER_MARK = Buffer.from('\ufeff');

function withoutByteOrderMark(bytes: Buffer): Buffer {
  const { length } = BYTE_ORDER_MARK;
  return bytes.subarray(0, length).equals(BYTE_ORDER_MARK) ? bytes.subarray(length) : bytes;
}

function proposalIn({ text, tooLong }: Piece, { maxProposalBytes }: Settings): Proposal {
  if (tooLong) {
    throw new UnusableError(
      'MALFORMED_PROPOSAL',
      `it is longer than ${maxProposalBytes} bytes (maxProposalBytes)`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UnusableError('MALFORMED_PROPOSAL', `it is not JSON: ${messageOf(error)}`);
  }
  return readProposal(json);
}

/** In UTF-16 units: what could not be read is kept to be looked at, not to be sent again. */
const LONGEST_KEPT_TEXT = 64 * 1024;

function rejectionOf(
  { text, line, tooLong }: Piece,
  count: number,
  error: unknown,
  { path }: Settings,
): Rejection {
  const place = hasLines(path) ? `line ${line}` : `proposal ${count} (line ${line})`;
  const content = tooLong ? undefined : jsonOrUndefined(text);
  return {
    kind: 'record',
    code: error instanceof UnusableError ? error.code : 'MALFORMED_PROPOSAL',
    message: `${place} of ${path} is not sent: ${messageOf(error)}`,
    identity: identityOf(content) ?? `${path} ${place}`,
    content: content ?? text.slice(0, LONGEST_KEPT_TEXT),
  };
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function requireReadable(path: string): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) throw new Error('it is a folder');
    await access(path, constants.R_OK);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): PipelineError {
  if (error instanceof PipelineError) return error;
  if (error instanceof BrokenTextError) {
    return cutOff(`${path}, line ${error.line}: ${error.message}`, error);
  }
  if (error instanceof DamagedGzipError) {
    return cutOff(`${path}: ${error.message}`, error, error.missingBytes);
  }
  return new PipelineError(`can't read ${path}: ${reasonOf(error)}`, {
    code: 'SOURCE_UNREADABLE',
    category: 'unavailable',
    cause: error,
  });
}

function cutOff(what: string, cause: unknown, missingBytes = 0): PipelineError {
  const but = missingBytes > 0 ? `, but for proposals in its last ${missingBytes / 1024} KiB` : '';
  return new PipelineError(`${what}. What stands before it was read${but}; make the file anew`, {
    code: 'SOURCE_CUT_OFF',
    category: 'unavailable',
    cause,
  });
}

function reasonOf(error: unknown): string {
  switch (error instanceof Error && 'code' in error ? error.code : '') {
    case 'ENOENT':
      return 'it does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a folder';
    default:
      return messageOf(error);
  }
}
