/**
 * Sends batches so that nothing is lost, and nothing stored twice that kafkajs can tell.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type kafkajs from 'kafkajs';
import type { PipelineError } from '../../core/errors.js';
import type { Logger, RunContext } from '../../stream/contracts.js';
import { deliveryTimeout, kafkaFailure, remedyFor, type Place } from './failures.js';

/** A message with the partition that its key belongs to. */
export interface KeyedMessage {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly partition: number;
}

/** A message that the broker did not take, and how often it was tried. */
export interface TooLarge {
  readonly message: KeyedMessage;
  readonly attempts: number;
}

/** What is used of kafkajs' producer. */
export type Producer = Pick<kafkajs.Producer, 'connect' | 'disconnect' | 'send'>;

export interface DeliveryOptions {
  /** Makes a producer that is idempotent and waits for all replicas. Connects nothing yet. */
  readonly createProducer: () => Producer;
  readonly place: Place;
  readonly compression: kafkajs.CompressionTypes;
  /** Milliseconds that one batch may take, whatever happens to it. */
  readonly deliveryTimeoutMs: number;
  /** Milliseconds that a broker waits for its replicas. */
  readonly requestTimeoutMs: number;
  readonly context: Pick<RunContext, 'log' | 'recorder' | 'signal'>;
}

const MIN_DELAY_MS = 100;
const MAX_DELAY_MS = 2_000;

/**
 * Sends one batch at a time. Why it does not leave repeating to kafkajs:
 *
 * - kafkajs takes the sequence numbers of a failed request back. The broker tells a repeat by its
 *   number and length alone: were another batch sent under a number that had arrived after all, it
 *   would be taken for a repeat, confirmed, and dropped. So a batch is repeated as it was, and
 *   where that is no use, the next one is sent by a new producer.
 * - a request that failed while a partition moved between brokers may leave out that partition's
 *   messages and still succeed. So it is checked that the answer names each partition.
 * - its retries know no deadline.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  #producer: Producer | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /**
   * Makes ready to send.
   *
   * @throws PipelineError as `kafkaFailure` gives
   */
  async open(): Promise<void> {
    try {
      await this.#connected();
    } catch (error) {
      throw kafkaFailure(error, this.#options.place);
    }
  }

  /**
   * Resolves when each message is stored on all replicas in step, but for those that it gives back
   * as too large. Calls must not overlap, and none must follow one that was rejected.
   *
   * @throws PipelineError `KAFKA_DELIVERY_TIMEOUT`, or what `kafkaFailure` gives
   */
  async deliver(messages: readonly KeyedMessage[]): Promise<readonly TooLarge[]> {
    const { deliveryTimeoutMs, place, context } = this.#options;
    const deadline = Date.now() + deliveryTimeoutMs;
    let rest = messages;
    let attempts = 0;
    let last: unknown;
    for (;;) {
      attempts += 1;
      try {
        const missing = await this.#before(deadline, this.#send(rest));
        if (missing.length === 0) {
          if (attempts > 1) context.log.info({ attempts }, `${place.cluster} takes messages again`);
          return [];
        }
        rest = missing;
        last = new Error('a partition of the topic has no leader');
      } catch (error) {
        if (error === TIME_IS_UP) throw deliveryTimeout(deliveryTimeoutMs, last, place);
        last = error;
        const remedy = remedyFor(error);
        if (remedy === 'give-up') throw kafkaFailure(error, place);
        if (remedy !== 'again') await this.#dropProducer();
        if (remedy === 'smaller') return await this.#smaller(rest, attempts);
        context.recorder.retries += 1;
        if (attempts === 1) warn(context.log, error, place);
      }
      await this.#pause(attempts, deadline, last);
    }
  }

  async close(): Promise<void> {
    await this.#dropProducer();
  }

  async #send(messages: readonly KeyedMessage[]): Promise<readonly KeyedMessage[]> {
    const { place, compression, requestTimeoutMs, context } = this.#options;
    const producer = await this.#connected();
    context.recorder.requests += 1;
    const stored = await producer.send({
      topic: place.topic,
      acks: -1,
      timeout: requestTimeoutMs,
      compression,
      messages: messages as KeyedMessage[],
    });
    const partitions = new Set(stored.map(({ partition }) => partition));
    return messages.every(({ partition }) => partitions.has(partition))
      ? []
      : messages.filter(({ partition }) => !partitions.has(partition));
  }

  /** The broker says only that something is too large: halves find out what. */
  async #smaller(
    messages: readonly KeyedMessage[],
    attempts: number,
  ): Promise<readonly TooLarge[]> {
    const [only] = messages;
    if (only === undefined || messages.length === 1) {
      return messages.map((message) => ({ message, attempts }));
    }
    const middle = messages.length >> 1;
    // One after the other: an entity's messages keep their order.
    const first = await this.deliver(messages.slice(0, middle));
    return [...first, ...(await this.deliver(messages.slice(middle)))];
  }

  async #connected(): Promise<Producer> {
    if (this.#producer !== undefined) return this.#producer;
    const producer = this.#options.createProducer();
    try {
      await producer.connect();
    } catch (error) {
      await producer.disconnect().catch(() => undefined);
      throw error;
    }
    this.#producer = producer;
    return producer;
  }

  async #dropProducer(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.disconnect().catch(() => undefined);
  }

  async #pause(attempts: number, deadline: number, last: unknown): Promise<void> {
    const { context, deliveryTimeoutMs, place } = this.#options;
    const delay = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** (attempts - 1));
    const jittered = delay * (0.5 + Math.random() / 2);
    if (Date.now() + jittered >= deadline) throw deliveryTimeout(deliveryTimeoutMs, last, place);
    await sleep(jittered, undefined, { signal: context.signal });
  }

  /** kafkajs goes on with what it has begun; nobody listens any more. */
  async #before<T>(deadline: number, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(TIME_IS_UP);
      }, deadline - Date.now());
    });
    try {
      return await Promise.race([work, timeUp]);
    } finally {
      clearTimeout(timer);
    }
  }
}

const TIME_IS_UP = new Error('the time for the delivery is over');

function warn(log: Logger, error: unknown, place: Place): void {
  const { code, message }: PipelineError = kafkaFailure(error, place);
  log.warn({ code }, `${message}; trying again`);
}
