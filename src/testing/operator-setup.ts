/**
 * What the operator kit works on, and how it looks at it.
 */

import { from, type Observable } from 'rxjs';
import { PipelineError } from '../core/errors.js';
import type { AnyOperator, Rejection, RunContext } from '../stream/contracts.js';
import { runContext } from './run-context.js';
import { proposalsOf, recordsOf } from './sample-records.js';
import { stateOf } from './sink-setup.js';
import { verify } from './verify.js';

export interface OperatorSetup {
  /** Makes it as a configuration does. */
  readonly make: () => AnyOperator;
  /** What goes into it. */
  readonly takes: 'record' | 'proposal';
  /** Operators that have to stand before it, made afresh. */
  readonly before: () => readonly AnyOperator[];
  /** Whether it may drop things without a word. */
  readonly drops: boolean;
}

export interface OperatorCheck {
  readonly name: string;
  run(setup: OperatorSetup): Promise<void>;
}

/** What became of a page. */
export interface Outcome {
  readonly output: readonly unknown[];
  readonly rejected: readonly Rejection[];
  /** Where the stream failed. */
  readonly error?: unknown;
}

/** How long a page may take, in milliseconds. */
const SOON_MS = 10_000;

/** Things of these names are on a page. */
export const PAGE: readonly string[] = ['a', 'b', 'c'];

/** An operator in a run, with what it set aside. */
export class OpenOperator {
  readonly rejected: Rejection[] = [];
  readonly operator: AnyOperator;

  constructor({ make }: Pick<OperatorSetup, 'make'>) {
    this.operator = make();
    this.openAgain();
  }

  /** Another run begins. */
  openAgain(): void {
    this.operator.open?.(this.#context());
  }

  /** Sends a page through. */
  give(items: readonly unknown[]): Promise<Outcome> {
    return this.watch(from(items));
  }

  /** Settles when the page is done, or has failed. */
  async watch(page: Observable<unknown>): Promise<Outcome> {
    const output: unknown[] = [];
    const before = this.rejected.length;
    let error: { readonly error: unknown } | undefined;
    const done = new Promise<void>((resolve) => {
      page.pipe(this.operator).subscribe({
        next: (item) => output.push(item),
        error: (thrown: unknown) => {
          error = { error: thrown };
          resolve();
        },
        complete: resolve,
      });
    });
    const { state } = await stateOf(done, SOON_MS);
    verify(state === 'fulfilled', 'all of a page was given, and it is not done');
    return { output, rejected: this.rejected.slice(before), ...error };
  }

  #context(): RunContext {
    return runContext({ reject: (rejection) => this.rejected.push(rejection) });
  }
}

/** A page through an operator of its own; fails where the stream does. */
export async function outputOf(
  setup: OperatorSetup,
  items: readonly unknown[],
): Promise<readonly unknown[]> {
  return soundOutput(await new OpenOperator(setup).give(items));
}

export function soundOutput({ output, error }: Outcome): readonly unknown[] {
  verify(error === undefined, `the stream fails: ${describe(error)}`);
  return output;
}

/** What comes to the operator of things of these names. */
export async function itemsOf(
  setup: OperatorSetup,
  names: readonly string[],
  label?: string,
): Promise<readonly unknown[]> {
  const make = setup.takes === 'record' ? recordsOf : proposalsOf;
  let items: readonly unknown[] = names.flatMap((name): readonly unknown[] => make(name, label));
  for (const operator of setup.before()) {
    items = (await new OpenOperator({ make: () => operator }).give(items)).output;
  }
  return items;
}

/** The same text for what is the same, byte for byte. */
export function printOf(item: unknown): string {
  try {
    return JSON.stringify(item);
  } catch {
    return String(item); // has no form in JSON
  }
}

/** Verifies that two lists have the same in the same order. */
export function verifySameOutput(
  found: readonly unknown[],
  expected: readonly unknown[],
  when: string,
): void {
  const [left, right] = [found.map(printOf), expected.map(printOf)];
  const at = left.findIndex((each, index) => each !== right[index]);
  verify(
    left.length === right.length && at < 0,
    `${when}, it gives ${left.length} instead of ${right.length}; the first that differs: ` +
      `${left[at] ?? 'nothing'} instead of ${right[at] ?? 'nothing'}`,
  );
}

export function describe(error: unknown): string {
  return error instanceof PipelineError ? `${error.code} ${error.message}` : String(error);
}
