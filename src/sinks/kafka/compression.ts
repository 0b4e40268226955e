/**
 * Compression of batches: gzip comes with kafkajs, the rest where somebody installed it.
 */

import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';
import { promisify } from 'node:util';
import type kafkajs from 'kafkajs';
import { PipelineError } from '../../core/errors.js';
import type { Compression } from './options.js';

/** As kafkajs asks for it: it gives its own growing buffer and takes a plain one back. */
interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

type CodecFactory = () => Codec;

/** Gives a package that may or may not be installed; throws where it isn't. */
export type LoadPackage = (name: string) => unknown;

const requireHere = createRequire(import.meta.url);

/** The numbers of Kafka's protocol. kafkajs is slow to load, and not needed to name them. */
const CompressionTypes = {
  None: 0,
  GZIP: 1,
  Snappy: 2,
  LZ4: 3,
  ZSTD: 4,
} as unknown as typeof kafkajs.CompressionTypes;

function codecs(): typeof kafkajs.CompressionCodecs {
  return (requireHere('kafkajs') as typeof kafkajs).CompressionCodecs;
}

/** The packages that the makers of kafkajs name for each. */
const PACKAGES = {
  snappy: { name: 'kafkajs-snappy', type: CompressionTypes.Snappy },
  lz4: { name: 'kafkajs-lz4', type: CompressionTypes.LZ4 },
  zstd: { name: '@kafkajs/zstd', type: CompressionTypes.ZSTD },
} as const;

/**
 * Makes a compression ready for use.
 *
 * @throws PipelineError `KAFKA_CODEC_MISSING` (usage) where its package is not installed
 */
export function prepareCompression(
  compression: Compression,
  load: LoadPackage = requireHere,
): kafkajs.CompressionTypes {
  if (compression === 'none') return CompressionTypes.None;
  if (compression === 'gzip') return CompressionTypes.GZIP;
  const { name, type } = PACKAGES[compression];
  const builtIn = compression === 'zstd' ? zstdOfNode() : undefined;
  // A process has one table of codecs for all of its clients; what is in it works.
  codecs()[type] = builtIn ?? factoryIn(loadOrExplain(name, compression, load), name);
  return type;
}

/** The bytes that a text of records takes when it is compressed. */
export async function compressedBytes(
  type: kafkajs.CompressionTypes,
  buffer: Buffer,
): Promise<number> {
  if (type === CompressionTypes.None) return buffer.length;
  const codec = (codecs()[type] as CodecFactory)();
  return (await codec.compress({ buffer })).length;
}

function loadOrExplain(name: string, compression: Compression, load: LoadPackage): unknown {
  try {
    return load(name);
  } catch (error) {
    throw new PipelineError(
      `kafkaSink: "compression" ${compression} needs the package ${name}, which can't be loaded: ` +
        `npm install ${name}, or take gzip`,
      { code: 'KAFKA_CODEC_MISSING', category: 'usage', cause: error },
    );
  }
}

/** The packages differ in what they export: the factory, a maker of it, or a class that has one. */
function factoryIn(exported: unknown, name: string): CodecFactory {
  const candidate =
    typeof exported === 'object' && exported !== null && 'default' in exported
      ? exported.default
      : exported;
  if (typeof candidate === 'function') {
    const called = attempt(() => (candidate as () => unknown)());
    if (isCodec(called)) return candidate as CodecFactory;
    if (typeof called === 'function' && isCodec(attempt(called as () => unknown))) {
      return called as CodecFactory;
    }
    const made = attempt(() => new (candidate as new () => { codec?: unknown })());
    const codec = made?.codec;
    if (isCodec(codec)) return () => codec;
    if (typeof codec === 'function') return codec as CodecFactory;
  }
  throw new PipelineError(`kafkaSink: the package ${name} has no codec that kafkajs could use`, {
    code: 'KAFKA_CODEC_MISSING',
    category: 'usage',
  });
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

function isCodec(value: unknown): value is Codec {
  return typeof value === 'object' && value !== null && 'compress' in value;
}

type Transform = (data: Uint8Array) => Promise<Buffer>;

/** Node 22.15 and later have it. */
function zstdOfNode(): CodecFactory | undefined {
  const { zstdCompress, zstdDecompress } = zlib as unknown as Record<string, unknown>;
  if (typeof zstdCompress !== 'function' || typeof zstdDecompress !== 'function') return undefined;
  const compress: Transform = promisify(zstdCompress as never);
  const decompress: Transform = promisify(zstdDecompress as never);
  return () => ({
    compress: ({ buffer }) => compress(buffer),
    decompress: (buffer) => decompress(buffer),
  });
}
