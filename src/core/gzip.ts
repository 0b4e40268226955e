/**
 * How a file that is compressed with gzip is told from text.
 */

/** No text in UTF-8 begins so. */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/** Whether what begins with these bytes, two at least, is compressed with gzip. */
export function isGzip(bytes: Buffer): boolean {
  return bytes.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC);
}
