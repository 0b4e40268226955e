/**
 * The bytes of a proposal on the topic: the registry's wire format around Avro.
 */

import { aspectJson } from '../../datahub/aspect-json.js';
import { CONTENT_TYPE, type Proposal, type SystemMetadata } from '../../datahub/proposal.js';

/** What is used of the Avro types that the registry's client makes of schemas. */
export interface AvroCodec {
  readonly name?: string | undefined;
  /** Writes from `position` on; gives where it ended, or how many bytes were missing, negative. */
  encode(value: object, buffer: Buffer, position: number): number;
  isValid(
    value: object,
    options?: {
      readonly noUndeclaredFields?: boolean;
      readonly errorHook?: (path: string[], value: unknown, type: unknown) => void;
    },
  ): boolean;
}

/** A schema that a registry knows. */
export interface RegisteredSchema {
  /** 0 is an id like any other. */
  readonly id: number;
  readonly codec: AvroCodec;
}

const MAGIC_BYTE = 0;
const HEADER_BYTES = 5;

/** Messages share buffers of this size: each in one of its own would cost more than its encoding. */
const SHARED_BYTES = 256 * 1024;

/**
 * Makes the function that turns proposals of one run into the bytes of their messages: a zero, the
 * schema's id as four bytes, the Avro record. The aspect is JSON inside it.
 *
 * It throws a `TypeError` for what JSON has no form for.
 */
export function wireFormat(
  { id, codec }: RegisteredSchema,
  { lastObserved, runId }: SystemMetadata,
): (proposal: Proposal) => Buffer {
  const systemMetadata = { lastObserved, runId };
  let shared = Buffer.alloc(0);
  let start = 0;
  return (proposal) => {
    const message = messageOf(proposal, systemMetadata);
    let end = codec.encode(message, shared, start + HEADER_BYTES);
    if (end < 0) {
      shared = Buffer.allocUnsafe(Math.max(SHARED_BYTES, shared.length - start - end));
      start = 0;
      end = codec.encode(message, shared, HEADER_BYTES);
    }
    shared.writeUInt8(MAGIC_BYTE, start);
    shared.writeInt32BE(id, start + 1);
    const bytes = shared.subarray(start, end);
    start = end;
    return bytes;
  };
}

/**
 * What is wrong with a schema for our messages, in words; undefined where nothing is.
 *
 * It must have every field that we write, of a type that takes it, and no other that must be given.
 */
export function unfitness(codec: AvroCodec): string | undefined {
  const problems: string[] = [];
  const errorHook = (path: readonly string[], value: unknown): void => {
    const name = path.length === 0 ? 'it' : path.join('.');
    problems.push(value === undefined ? `it needs ${name}` : `${name} takes other values`);
  };
  const sample = messageOf(
    {
      entityType: 'tag',
      entityUrn: 'urn:li:tag:a',
      changeType: 'UPSERT',
      aspectName: 'a',
      aspect: {},
    },
    { lastObserved: 0, runId: 'a' },
  );
  if (codec.isValid(sample, { noUndeclaredFields: true })) return undefined;
  codec.isValid(sample, { errorHook });
  return problems[0] ?? 'it lacks a field that DataHub reads';
}

function messageOf(proposal: Proposal, systemMetadata: SystemMetadata): object {
  const { entityType, entityUrn, changeType, aspectName, aspect, headers } = proposal;
  const message = {
    entityType,
    entityUrn,
    changeType,
    aspectName,
    aspect: { value: Buffer.from(aspectJson(aspect)), contentType: CONTENT_TYPE[changeType] },
    systemMetadata,
  };
  return headers === undefined ? message : { ...message, headers };
}
