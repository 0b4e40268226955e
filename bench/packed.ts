/**
 * Several pieces of bytes in one file, each behind its length (4 bytes, big-endian): what bare
 * clients send.
 */

export function packed(pieces: readonly Buffer[]): Buffer {
  return Buffer.concat(
    pieces.flatMap((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}
