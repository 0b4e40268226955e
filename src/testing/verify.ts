/**
 * What the kits have in common.
 */

export interface KitCheck {
  /** A sentence about the component: `delivers in the order of the calls`. */
  readonly name: string;
  /** Rejects with an `Error` that says what was broken. Takes seconds at most. */
  run(): Promise<void>;
}

/** @throws Error with that message */
export function verify(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/**
 * The checks of a kit, each with a setup of its own.
 *
 * @param open - makes one
 */
export function withSetups<Setup extends { readonly dispose?: () => Promise<void> | void }>(
  open: () => Promise<Setup> | Setup,
  checks: readonly { readonly name: string; run(setup: Setup): Promise<void> }[],
): readonly KitCheck[] {
  return checks.map((check) => ({
    name: check.name,
    run: async () => {
      const setup = await open();
      try {
        await check.run(setup);
      } finally {
        await setup.dispose?.();
      }
    },
  }));
}
