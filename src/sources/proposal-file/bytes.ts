/**
 * The bytes of a file, decompressed where its name says so, a chunk for each call.
 */

import { createReadStream } from 'node:fs';
import { createGunzip, type Gunzip } from 'node:zlib';
import { messageOf } from '../../core/errors.js';

const CHUNK_BYTES = 256 * 1024;
/** A compressed chunk may be a thousand times as long as it looks, and comes out as a whole. */
const GZIP_CHUNK_BYTES = 16 * 1024;

/** A compressed file that ends early or is damaged. What came out before it is sound. */
export class DamagedGzipError extends Error {
  constructor(cause: unknown) {
    super(
      messageOf(cause) === 'unexpected end of file'
        ? 'the compressed file is cut off'
        : `the compressed file is damaged (${messageOf(cause)})`,
      { cause },
    );
    this.name = 'DamagedGzipError';
  }
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
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  let ready: Buffer[] = [];
  let failure: unknown;
  gunzip.on('data', (bytes: Buffer) => ready.push(bytes));
  gunzip.on('error', (error) => {
    failure = error;
  });
  const taken = function* (): Generator<Buffer, void> {
    const some = ready;
    ready = [];
    yield* some;
  };
  try {
    let empty = true;
    for await (const chunk of chunks) {
      empty = false;
      await new Promise<void>((resolve) => {
        gunzip.once('error', resolve);
        gunzip.write(chunk, () => {
          gunzip.off('error', resolve);
          resolve();
        });
      });
      yield* taken();
      if (failure !== undefined) throw new DamagedGzipError(failure);
    }
    // No bytes at all are no gzip file, but nothing is missing in it either.
    if (empty) return;
    await ended(gunzip);
    yield* taken();
    if (failure !== undefined) throw new DamagedGzipError(failure);
  } finally {
    gunzip.destroy();
  }
}

function ended(gunzip: Gunzip): Promise<void> {
  return new Promise((resolve) => {
    gunzip.once('end', resolve).once('error', resolve);
    gunzip.end();
  });
}
