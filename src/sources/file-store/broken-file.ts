/**
 * Why a file of a store can't be used. Never leaves this folder: it becomes a `Rejection`.
 */
export class BrokenFile extends Error {
  override readonly name = 'BrokenFile';

  /** @param content - of the file, as far as it could be read */
  constructor(
    message: string,
    readonly content?: string,
  ) {
    super(message);
  }
}
