import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { compressedBytes, prepareCompression } from '../../../src/sinks/kafka/compression.js';

const { CompressionTypes } = kafkajs;

const codec = {
  compress: ({ buffer }: { buffer: Buffer }) => Promise.resolve(buffer.subarray(0, 7)),
  decompress: (buffer: Buffer) => Promise.resolve(buffer),
};

const missing = (): never => {
  throw new Error("Cannot find module 'kafkajs-snappy'");
};

describe('a compression', () => {
  it('that kafkajs has needs nothing', async () => {
    expect(prepareCompression('none', missing)).toBe(CompressionTypes.None);
    expect(prepareCompression('gzip', missing)).toBe(CompressionTypes.GZIP);
    const text = Buffer.from('abc'.repeat(1_000));
    expect(await compressedBytes(CompressionTypes.None, text)).toBe(3_000);
    expect(await compressedBytes(CompressionTypes.GZIP, text)).toBeLessThan(100);
  });

  it.each([
    ['a factory of codecs', () => codec],
    ['a maker of a factory', () => () => codec],
    [
      'a class that has a codec',
      class {
        readonly codec = () => codec;
      },
    ],
    ['a factory as its default', { default: () => codec }],
  ])('of a package is used, whose export is %s', async (_, exported) => {
    const type = prepareCompression('lz4', () => exported);
    expect(type).toBe(CompressionTypes.LZ4);
    expect(await compressedBytes(type, Buffer.alloc(100))).toBe(7);
  });

  it.each([
    ['snappy', CompressionTypes.Snappy],
    ['lz4', CompressionTypes.LZ4],
    ['zstd', CompressionTypes.ZSTD],
  ] as const)('has the number of the protocol: %s', (name, number) => {
    expect(prepareCompression(name, () => () => codec)).toBe(number);
  });

  it('whose package is missing is refused, with what to install', () => {
    expect(() => prepareCompression('snappy', missing)).toThrow(
      expect.objectContaining({
        code: 'KAFKA_CODEC_MISSING',
        category: 'usage',
        message: expect.stringContaining('npm install kafkajs-snappy') as string,
      }),
    );
  });

  it('whose package has no codec is refused', () => {
    expect(() => prepareCompression('snappy', () => ({}))).toThrow(
      expect.objectContaining({ code: 'KAFKA_CODEC_MISSING' }),
    );
  });
});
