import { describe, expect, it } from 'vitest';
import { untilLost } from '../../src/sources/until-lost.js';

const LOST = new Error('lost');

async function* pages(error?: Error): AsyncGenerator<number, undefined> {
  yield await Promise.resolve(1);
  yield 2;
  if (error !== undefined) throw error;
}

/** More calls than there are pages, all at once. */
async function overlapping(iterable: AsyncIterable<number>): Promise<readonly unknown[]> {
  const iterator = iterable[Symbol.asyncIterator]();
  const answers = await Promise.allSettled([1, 2, 3, 4, 5].map(() => iterator.next()));
  return answers.map((each): unknown =>
    each.status === 'rejected' ? each.reason : each.value.value,
  );
}

describe('untilLost', () => {
  it('gives everything where nothing fails', async () => {
    const isLost = (): never => {
      throw new Error('asked');
    };
    expect(await overlapping(untilLost(pages(), isLost))).toEqual([1, 2, ...none(3)]);
  });

  it('ends with what is lost, for calls that overlap as well, and asks once', async () => {
    const asked: unknown[] = [];
    const isLost = async (error: unknown): Promise<boolean> => {
      asked.push(error);
      await Promise.resolve();
      return true;
    };
    expect(await overlapping(untilLost(pages(LOST), isLost))).toEqual([1, 2, ...none(3)]);
    expect(asked).toEqual([LOST]);
  });

  it('gives no page behind the one that failed', async () => {
    let call = 0;
    const odd: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          call += 1;
          return call === 1 ? Promise.reject(LOST) : Promise.resolve({ done: false, value: call });
        },
      }),
    };
    const lost = untilLost(odd, () => Promise.resolve(true));
    expect(await overlapping(lost)).toEqual(none(5));
  });

  it('fails as ever where that is not the reason', async () => {
    const [, , third, fourth] = await overlapping(
      untilLost(pages(LOST), () => Promise.resolve(false)),
    );
    expect([third, fourth]).toEqual([LOST, undefined]);
  });

  it('fails with what is made of the error', async () => {
    const other = new Error('other');
    const [, , third] = await overlapping(untilLost(pages(LOST), () => Promise.reject(other)));
    expect(third).toBe(other);
  });

  it('passes on that it is left', async () => {
    let isLeft = false;
    async function* left(): AsyncGenerator<number> {
      try {
        yield await Promise.resolve(1);
      } finally {
        isLeft = true;
      }
    }
    for await (const page of untilLost(left(), () => Promise.resolve(true))) {
      expect(page).toBe(1);
      break;
    }
    expect(isLeft).toBe(true);
  });
});

function none(count: number): readonly undefined[] {
  return Array.from({ length: count }, () => undefined);
}
