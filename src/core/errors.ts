/**
 * The one error type of this package, and the exit status that each of its codes means.
 */

/**
 * How the command ends because of an error.
 *
 * - `usage`: the configuration or the command line is wrong (exit status 2)
 * - `unavailable`: a source or a sink can't be reached, refuses, or gave up (exit status 3)
 */
export type ErrorCategory = 'usage' | 'unavailable';

export interface PipelineErrorOptions {
  /** Stable, upper-case, for programs: `SOURCE_UNREACHABLE`. Never reworded. */
  readonly code: string;
  readonly category: ErrorCategory;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
  /** Milliseconds that the other side asked to wait before the next try (its Retry-After). */
  readonly retryAfterMs?: number;
}

/**
 * An error that ends the run. Its message names the thing, the place, and what to do.
 *
 * A record that can't be mapped or delivered is no error but data: see `Rejection`.
 *
 * @example
 * throw new PipelineError('http://host:5000 refuses the connection: is the server up?', {
 *   code: 'SOURCE_UNREACHABLE', category: 'unavailable', retryable: true,
 * });
 */
export class PipelineError extends Error {
  readonly code: string;
  readonly category: ErrorCategory;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: PipelineErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PipelineError';
    this.code = options.code;
    this.category = options.category;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
