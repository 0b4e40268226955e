/**
 * Delivers a batch: tries again what may succeed later, and finds out which proposals DataHub does
 * not want by sending ever smaller parts.
 */

import type { PipelineError } from '../../core/errors.js';
import { RefusedError, ServiceFailedError } from './failures.js';
import { isEvent, type Parcel, type Reason, type Settle } from './lanes.js';
import { EnoughError, untilDeadline, type DeadlineOptions } from './until-deadline.js';

/**
 * How often a status 500 is believed to be the service's own trouble, before smaller parts are
 * tried: many a DataHub answers it for an aspect that it does not know.
 */
const FAILURES_BELIEVED = 3;
/** How often one alone must fail, each time after DataHub took another, to be blamed. */
const FAILURES_BLAMED = 4;
/** How many may fail alone, with nothing taken in between, before it is DataHub that fails. */
const SUSPECTS_BELIEVED = 8;

export interface BatchDeliveryOptions extends DeadlineOptions {
  /** Sends the parcels in one request, once. */
  readonly post: (parcels: readonly Parcel[], signal: AbortSignal) => Promise<void>;
}

/**
 * Delivers batches of one sink. The parts of a batch go one after the other, those of an entity in
 * their order, so that nothing overtakes.
 *
 * - 429, 5xx and connection errors: the same again, until `deliveryTimeoutMs` is over.
 * - 4xx: halves, until what is refused stands alone; its neighbours arrive.
 * - 500, again and again: the same, but one alone is only blamed for it if DataHub takes others at
 *   the same time. Otherwise it is DataHub that fails.
 * - Anything else ends the run: another token, another address.
 */
export class BatchDelivery {
  readonly #options: BatchDeliveryOptions;
  /** When the latest of the requests that were confirmed had begun: DataHub worked then. */
  #lastGood = -Infinity;

  constructor(options: BatchDeliveryOptions) {
    this.#options = options;
  }

  /** @throws PipelineError when nothing more can be delivered */
  async deliver(batch: readonly Parcel[], settle: Settle): Promise<void> {
    /** The next one is at the end. */
    const parts: (readonly Parcel[])[] = [batch];
    const trouble: Trouble = { putOff: new Set(), suspects: [] };
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      try {
        await this.#send(part, trouble);
        for (const parcel of part) settle(parcel);
        trouble.taken = part.findLast(canRepeat) ?? trouble.taken;
      } catch (error) {
        const [only] = part;
        if (!isAboutContent(error) || only === undefined) throw error;
        if (part.length > 1) {
          const half = Math.ceil(part.length / 2);
          parts.push(part.slice(half), part.slice(0, half));
        } else if (error instanceof RefusedError || this.#worksSince(trouble.since)) {
          settle(only, reasonOf(error));
        } else if (!putOff(only, parts, trouble)) {
          trouble.suspects.push([only, error]);
          if (trouble.suspects.length >= SUSPECTS_BELIEVED) break;
        }
      }
    }
    const [first] = trouble.suspects;
    if (first !== undefined && !this.#worksSince(trouble.since)) throw first[1];
    for (const [parcel, error] of trouble.suspects) settle(parcel, reasonOf(error));
  }

  /** Whether DataHub has confirmed a request that began after that time. */
  #worksSince(time: number | undefined): boolean {
    return time !== undefined && this.#lastGood > time;
  }

  async #send(part: readonly Parcel[], trouble: Trouble): Promise<void> {
    const history: History = { failures: 0, blamed: 0 };
    await untilDeadline(async (signal) => {
      for (;;) {
        const asked = part.length === 1 && (await this.#askAnother(history, trouble, signal));
        try {
          await this.#try(part, trouble, history, signal);
          return;
        } catch (error) {
          if (!(error instanceof ServiceFailedError)) throw error;
          if (this.#isEnough(part, trouble, history)) throw new EnoughError(error);
          // Where another was taken a moment ago, waiting would tell nothing new.
          if (!asked) throw error;
        }
      }
    }, this.#options);
  }

  async #try(
    part: readonly Parcel[],
    trouble: Trouble,
    history: History,
    signal: AbortSignal,
  ): Promise<void> {
    const othersAreTaken = this.#worksSince(history.lastFailure);
    for (const parcel of part) parcel.attempts += 1;
    try {
      await this.#post(part, signal);
    } catch (error) {
      if (!(error instanceof ServiceFailedError)) throw error;
      history.lastFailure = performance.now();
      trouble.since ??= history.lastFailure;
      history.failures += 1;
      if (othersAreTaken) history.blamed += 1;
      throw error;
    }
  }

  async #post(part: readonly Parcel[], signal: AbortSignal): Promise<void> {
    const began = performance.now();
    await this.#options.post(part, signal);
    this.#lastGood = Math.max(this.#lastGood, began);
  }

  /**
   * Finds out whether DataHub works since the last failure: where nothing else was taken in the
   * meantime, one that was taken before is sent again. Nothing is later than it, and it changes
   * nothing. Gives whether one was sent.
   */
  async #askAnother(
    { lastFailure }: History,
    { taken }: Trouble,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (taken === undefined || lastFailure === undefined) return false;
    if (this.#worksSince(lastFailure)) return false;
    await this.#post([taken], signal);
    return true;
  }

  /** Whether a part that is answered with 500 is not worth another try as it is. */
  #isEnough(part: readonly Parcel[], trouble: Trouble, { failures, blamed }: History): boolean {
    const [only] = part;
    if (part.length > 1 || only === undefined) {
      // Once halved, a part need not be tried again before it is halved further.
      if (part.length < (trouble.whole ?? 0)) return true;
      trouble.whole = part.length;
      return failures >= FAILURES_BELIEVED;
    }
    if (blamed >= FAILURES_BLAMED) return true;
    if (failures < FAILURES_BELIEVED) return false;
    const waited = performance.now() - (trouble.since ?? 0);
    return !trouble.putOff.has(only) || waited >= this.#options.settings.deliveryTimeoutMs;
  }
}

/** How a part fared. */
interface History {
  failures: number;
  /** Failures after others were taken. */
  blamed: number;
  /** In milliseconds of `performance.now()`. */
  lastFailure?: number;
}

/** What is known of a batch that DataHub answers 500 to. */
interface Trouble {
  /** When it began, in milliseconds of `performance.now()`. */
  since?: number;
  /** Parcels in the part that was first failed on. */
  whole?: number;
  /** One of the batch that was taken and may be sent again. */
  taken?: Parcel | undefined;
  /** Those that were put off until the others have been tried. */
  readonly putOff: Set<Parcel>;
  /** Given up, with nobody to say yet whether it was them or DataHub. */
  readonly suspects: (readonly [Parcel, PipelineError])[];
}

/** Lets the entities that are left go first, once: they will show whether DataHub works. */
function putOff(parcel: Parcel, parts: (readonly Parcel[])[], trouble: Trouble): boolean {
  if (trouble.putOff.has(parcel)) return false;
  trouble.putOff.add(parcel);
  const left = parts.splice(0).reverse().flat();
  const urn = parcel.proposal.entityUrn;
  const own = left.filter(({ proposal }) => proposal.entityUrn === urn);
  const others = left.filter(({ proposal }) => proposal.entityUrn !== urn);
  if (own.length > 0) parts.push(own);
  parts.push([parcel]);
  if (others.length > 0) parts.push(others);
  return true;
}

/** Whether sending it twice is the same as sending it once. */
function canRepeat({ proposal }: Parcel): boolean {
  return proposal.changeType === 'UPSERT' && proposal.headers === undefined && !isEvent(proposal);
}

function isAboutContent(error: unknown): error is RefusedError | ServiceFailedError {
  return error instanceof RefusedError || error instanceof ServiceFailedError;
}

function reasonOf(error: PipelineError): Reason {
  const said =
    error instanceof RefusedError || error instanceof ServiceFailedError ? error.said : '';
  const start =
    error instanceof RefusedError
      ? `DataHub answers ${error.status}`
      : 'DataHub fails (500) on this one and takes others';
  return { code: 'REFUSED_BY_DATAHUB', message: said === '' ? start : `${start}: ${said}` };
}
