/**
 * How many bytes a message takes in a request, by Kafka's record format.
 */

/** What stands before the records of a batch: brokers count it against the limit of a message. */
export const BATCH_HEADER_BYTES = 61;

/** A batch's position numbers stay below this, so that each takes 3 bytes at most. */
const OFFSET_DELTA_BYTES = 3;

/**
 * The bytes of a record with one key, one value, no headers and the time of its batch; never too
 * few, and at most 2 too many.
 */
export function recordBytes(keyBytes: number, valueBytes: number): number {
  const body =
    1 + // attributes
    1 + // its time, counted from its batch's
    OFFSET_DELTA_BYTES +
    varintBytes(keyBytes) +
    keyBytes +
    varintBytes(valueBytes) +
    valueBytes +
    1; // how many headers
  return varintBytes(body) + body;
}

/** A signed number takes twice the room: 64 needs a second byte already. */
function varintBytes(value: number): number {
  let rest = value * 2;
  let bytes = 1;
  while (rest >= 128) {
    rest = Math.floor(rest / 128);
    bytes += 1;
  }
  return bytes;
}
