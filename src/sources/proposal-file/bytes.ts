/**
 * The bytes of a file, decompressed where its name says so, a chunk for each call.
 */

import { createReadStream } from 'node:fs';
import { createGunzip, type Gunzip } from 'node:zlib';
import { messageOf } from '../../core/errors.js';

const CHUNK_BYTES = 256 * 1024;
/** A compressed chunk may be a thousand times as long as it looks, and comes out as a whole. */
const GZIP_CHUNK_BYTES = 16 * 1024;
/**
 * Node decompresses as much at a time, and what it was at when it meets damage it does not give:
 * less would lose less, but takes longer for each file.
 */
const DECOMPRESSED_BYTES = 64 * 1024;

/** A compressed file that ends early or is damaged. */
export class DamagedGzipError extends Error {
  constructor(
    message: string,
    /** Bytes of text before the damage that were not given, at most. */
    readonly missingBytes: number,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = 'DamagedGzipError';
  }
}

/** At an end that comes too early, Node has given all; what it refuses costs what stands before. */
function damaged(cause: unknown): DamagedGzipError {
  return messageOf(cause) === 'unexpected end of file'
    ? new DamagedGzipError('the compressed file is cut off', 0, cause)
    : new DamagedGzipError(
        `the compressed file is damaged (${messageOf(cause)})`,
        DECOMPRESSED_BYTES,
        cause,
      );
}

/**
 * Reads a file from its start. Several gzip members, one after the other, are one text.
 *
 * @throws the system's error where the file can't be read; DamagedGzipError
 */
export async function* readBytes(path: string, gzip: boolean): AsyncGenerator<Buffer, void> {
  const file = createReadStream(path, { highWaterMark: gzip ? GZIP_CHUNK_BYTES : CHUNK_BYTES });
  const chunks = file as AsyncIterable<Buffer>;
  if (gzip) yield* decompress(chunks);
  else yield* chunks;
}

/**
 * Not a pipe: an error of a stream throws away what the stream had ready, and what stands before
 * the place where a file is cut off is to be delivered.
 */
async function* decompress(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  const gunzip = createGunzip({ chunkSize: DECOMPRESSED_BYTES });
  let ready: Buffer[] = [];
  let failure: unknown;
  gunzip.on('data', (bytes: Buffer) => ready.push(bytes));
  gunzip.on('error', (error) => {
    failure = error;
  });
  const until = waiting(gunzip);
  const taken = function* (): Generator<Buffer, void> {
    const some = ready;
    ready = [];
    yield* some;
  };
  try {
    let given = 0;
    let padded = false;
    for await (const chunk of chunks) {
      let rest = chunk;
      if (!padded) {
        await until((done) => {
          gunzip.write(chunk, done);
        });
        yield* taken();
        if (failure !== undefined) throw damaged(failure);
        given += chunk.length;
        // Node takes another member or refuses it, but leaves zero bytes behind one, and all that
        // follows them, without a word.
        rest = chunk.subarray(chunk.length - (given - gunzip.bytesWritten));
        padded = rest.length > 0;
      }
      if (rest.some((byte) => byte !== 0)) {
        throw new DamagedGzipError(
          'the compressed file is damaged (something stands behind the zero bytes at its end)',
          0,
        );
      }
    }
    // No bytes at all are no gzip file, but nothing is missing in it either. Zero bytes stand only
    // behind a member that is whole: the stream has ended.
    if (given === 0 || padded) return;
    await until((done) => {
      if (gunzip.readableEnded || gunzip.destroyed) done();
      else gunzip.end();
    });
    yield* taken();
    if (failure !== undefined) throw damaged(failure);
  } finally {
    gunzip.destroy();
  }
}

/**
 * Gives a function that starts something and waits until it is done or nothing more comes of the
 * stream. It listens from the beginning: an end that nobody waited for yet would be waited for
 * for ever, and a process that waits for nothing else ends without a word.
 */
function waiting(gunzip: Gunzip): (start: (done: () => void) => void) => Promise<void> {
  let wake = (): void => undefined;
  for (const event of ['end', 'error', 'close']) {
    gunzip.on(event, () => {
      wake();
    });
  }
  return (start) =>
    new Promise((resolve) => {
      wake = resolve;
      start(resolve);
    });
}
