/**
 * What a workspace gives until it is deleted or hidden.
 */

/**
 * The pages as they come, and their end where asking for one fails because what they are of is lost.
 * Demand is passed on as it comes: of calls that overlap, those behind the one that failed end, too.
 *
 * @param isLost - whether it is for that; asked once. What it throws takes the error's place
 *
 * @example
 * const pages = untilLost(reader.read(plan), (error) => isWorkspaceGone(error));
 */
export function untilLost<T>(
  pages: AsyncIterable<T>,
  isLost: (error: unknown) => Promise<boolean>,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = pages[Symbol.asyncIterator]();
      let lost: Promise<boolean> | undefined;
      return {
        next: async (): Promise<IteratorResult<T, undefined>> => {
          if ((await lost) === true) return END;
          try {
            const result = await iterator.next();
            return result.done === true || (await lost) === true ? END : result;
          } catch (error) {
            lost ??= isLost(error);
            if (!(await lost)) throw error;
            await iterator.return?.();
            return END;
          }
        },
        return: async () => {
          await iterator.return?.();
          return END;
        },
      };
    },
  };
}

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };
