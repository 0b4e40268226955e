/**
 * The hash that Kafka's own producers choose a key's partition by.
 */

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/**
 * The partition of a key, as Kafka's Java producer chooses it: producers that write to one topic
 * must agree, or the aspects of an entity end up in several partitions and lose their order.
 * kafkajs computes the same with big integers, which takes longer than the rest of a send.
 *
 * @param key - the key's bytes
 * @param partitions - how many the topic has, at least 1
 */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/** A signed 32-bit integer. */
export function murmur2(data: Uint8Array): number {
  const { length } = data;
  const end = length & ~3;
  let hash = SEED ^ length;
  for (let index = 0; index < end; index += 4) {
    let word =
      byteAt(data, index) |
      (byteAt(data, index + 1) << 8) |
      (byteAt(data, index + 2) << 16) |
      (byteAt(data, index + 3) << 24);
    word = Math.imul(word, M);
    word = Math.imul(word ^ (word >>> 24), M);
    hash = Math.imul(hash, M) ^ word;
  }
  if (length > end) {
    for (let index = length - 1; index >= end; index -= 1) {
      hash ^= byteAt(data, index) << (8 * (index - end));
    }
    hash = Math.imul(hash, M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

function byteAt(data: Uint8Array, index: number): number {
  return data[index] ?? 0;
}
