/**
 * Puts what waits, over all writes, into batches that a request can take.
 */

import { messageOf, PipelineError } from '../../core/errors.js';
import type { Proposal } from '../../datahub/proposal.js';
import type { Refusal } from '../../stream/contracts.js';
import type { KeyedMessage, TooLarge } from './delivery.js';
import { partitionOf } from './murmur2.js';
import { BATCH_HEADER_BYTES, recordBytes } from './record-size.js';

export interface BatchQueueOptions {
  /** Makes the bytes of a message; throws a `TypeError` for what has no JSON. */
  readonly encode: (proposal: Proposal) => Buffer;
  readonly partitions: number;
  readonly maxBatchBytes: number;
  readonly maxBatchCount: number;
  /** The largest batch that the topic takes; undefined where only the broker knows. */
  readonly maxMessageBytes: number | undefined;
  /** The bytes of records as they will be sent, for one that is too large as it is. */
  readonly compressedBytes: (records: Buffer) => Promise<number>;
  /** Delivers one batch; never called again before it has settled, nor after it was rejected. */
  readonly deliver: (messages: readonly KeyedMessage[]) => Promise<readonly TooLarge[]>;
}

interface PendingWrite {
  readonly proposals: readonly Proposal[];
  readonly refusals: Refusal[];
  /** The first one that is not in a batch yet. */
  next: number;
  /** How many are in batches that were not confirmed yet. */
  underway: number;
  readonly resolve: (refusals: readonly Refusal[]) => void;
  readonly reject: (error: PipelineError) => void;
}

/** Where a message comes from. */
interface Origin {
  readonly proposal: Proposal;
  readonly write: PendingWrite;
}

interface Key {
  readonly urn: string;
  readonly key: Buffer;
  readonly partition: number;
}

interface Queued {
  readonly message: KeyedMessage;
  readonly origin: Origin;
}

/**
 * The origins stand beside the messages and not in them: kafkajs copies each message with all that
 * is in it.
 */
interface Batch {
  readonly messages: KeyedMessage[];
  readonly origins: Origin[];
  bytes: number;
}

/**
 * One batch is on its way at a time, so that an entity's aspects keep the order of the writes;
 * while it is, the next one is made ready. Writes wait in line and share batches.
 */
export class BatchQueue {
  readonly #options: BatchQueueOptions;
  readonly #writes: PendingWrite[] = [];
  /** All that neither resolved nor rejected yet. */
  readonly #open = new Set<PendingWrite>();
  /** A message that did not fit into the last batch any more. */
  #leftOver: Queued | undefined;
  #lastKey: Key | undefined;
  #running = false;
  #failure: PipelineError | undefined;

  constructor(options: BatchQueueOptions) {
    this.#options = options;
  }

  /** As `OpenSink.write`. */
  write(proposals: readonly Proposal[]): Promise<readonly Refusal[]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (proposals.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const write = { proposals, refusals: [], next: 0, underway: 0, resolve, reject };
      this.#writes.push(write);
      this.#open.add(write);
      if (!this.#running) void this.#run();
    });
  }

  /** Ends every write, now and later, with this error; the first one stays. */
  fail(error: PipelineError): void {
    this.#failure ??= error;
    for (const write of this.#open) write.reject(this.#failure);
    this.#open.clear();
    this.#writes.length = 0;
    this.#leftOver = undefined;
  }

  async #run(): Promise<void> {
    this.#running = true;
    // Writes that come in the same moment share the first batch.
    await Promise.resolve();
    try {
      let batch = this.#fill(newBatch());
      while (batch.messages.length > 0 && this.#failure === undefined) {
        const [next] = await Promise.all([this.#fillMeanwhile(), this.#deliver(batch)]);
        batch = this.#fill(next);
      }
    } catch (error) {
      this.fail(
        error instanceof PipelineError
          ? error
          : new PipelineError(`unexpected: ${messageOf(error)}`, {
              code: 'UNEXPECTED',
              category: 'unavailable',
              cause: error,
            }),
      );
    } finally {
      this.#running = false;
    }
  }

  /** Makes the next batch while the broker is busy with one; what comes in until then is added. */
  async #fillMeanwhile(): Promise<Batch> {
    // By then the request is on its way: made at once, this batch would hold it up.
    await new Promise((resolve) => setImmediate(resolve));
    return this.#fill(newBatch());
  }

  /** Adds what waits, as far as it fits. A message larger than a batch has one for itself. */
  #fill(batch: Batch): Batch {
    const { maxBatchBytes, maxBatchCount, maxMessageBytes = Infinity } = this.#options;
    const limit = Math.min(maxBatchBytes, maxMessageBytes);
    while (batch.messages.length < maxBatchCount) {
      const queued = this.#leftOver ?? this.#nextMessage();
      if (queued === undefined) break;
      const { message, origin } = queued;
      const bytes = recordBytes(message.key.length, message.value.length);
      if (batch.messages.length > 0 && BATCH_HEADER_BYTES + batch.bytes + bytes > limit) {
        this.#leftOver = queued;
        break;
      }
      this.#leftOver = undefined;
      batch.messages.push(message);
      batch.origins.push(origin);
      batch.bytes += bytes;
    }
    return batch;
  }

  #nextMessage(): Queued | undefined {
    for (;;) {
      const write = this.#writes[0];
      if (write === undefined) return undefined;
      const proposal = write.proposals[write.next];
      if (proposal === undefined) {
        this.#writes.shift();
        this.#settle(write);
        continue;
      }
      write.next += 1;
      try {
        const value = this.#options.encode(proposal);
        const { key, partition } = this.#keyOf(proposal.entityUrn);
        write.underway += 1;
        return { message: { key, value, partition }, origin: { proposal, write } };
      } catch (error) {
        write.refusals.push({
          proposal,
          code: 'NOT_JSON',
          message: `the proposal can't be written as JSON: ${messageOf(error)}`,
          attempts: 1,
        });
      }
    }
  }

  /** An entity's aspects come one after the other, mostly. */
  #keyOf(urn: string): Key {
    if (this.#lastKey?.urn !== urn) {
      const key = Buffer.from(urn);
      this.#lastKey = { urn, key, partition: partitionOf(key, this.#options.partitions) };
    }
    return this.#lastKey;
  }

  async #deliver(batch: Batch): Promise<void> {
    const { deliver, maxMessageBytes = Infinity } = this.#options;
    const { messages, origins } = batch;
    const tooLarge =
      BATCH_HEADER_BYTES + batch.bytes > maxMessageBytes && !(await this.#fitsCompressed(batch));
    const refused = tooLarge
      ? messages.map((message) => ({ message, attempts: 1 }))
      : await deliver(messages);
    if (this.#failure !== undefined) return;
    for (const { message, attempts } of refused) {
      const origin = origins[messages.indexOf(message)];
      origin?.write.refusals.push(this.#tooLarge(origin.proposal, message, attempts));
    }
    for (const { write } of origins) {
      write.underway -= 1;
      this.#settle(write);
    }
  }

  async #fitsCompressed({ messages }: Batch): Promise<boolean> {
    const { maxMessageBytes = Infinity, compressedBytes } = this.#options;
    const records = Buffer.concat(messages.flatMap(({ key, value }) => [key, value]));
    const bytes = await compressedBytes(records);
    return BATCH_HEADER_BYTES + recordBytes(0, bytes) <= maxMessageBytes;
  }

  #tooLarge(proposal: Proposal, { key, value }: KeyedMessage, attempts: number): Refusal {
    const { maxMessageBytes } = this.#options;
    const bytes = BATCH_HEADER_BYTES + recordBytes(key.length, value.length);
    const limit =
      maxMessageBytes === undefined ? 'the broker takes' : `the ${maxMessageBytes} allowed`;
    return {
      proposal,
      code: 'MESSAGE_TOO_LARGE',
      message:
        `the message has ${bytes} bytes, more than ${limit}: raise max.message.bytes of the topic ` +
        "(and what DataHub's consumer fetches), or compress",
      attempts,
    };
  }

  #settle(write: PendingWrite): void {
    if (write.underway > 0 || write.next < write.proposals.length) return;
    if (this.#open.delete(write)) write.resolve(write.refusals);
  }
}

function newBatch(): Batch {
  return { messages: [], origins: [], bytes: 0 };
}
