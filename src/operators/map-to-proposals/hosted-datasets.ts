/**
 * Which dataset of MLflow's describes a hosted one: it is one dataset, whoever reads it, and by
 * whichever names.
 */

import { hash } from 'node:crypto';

/** Hosted datasets that are told apart, about 60 bytes each. */
const REMEMBERED = 250_000;

/**
 * The dataset that describes it first. Workspaces are read in the same order each time, and each
 * names all of its datasets in every sweep, by name, whatever else is left out: so it is the same one
 * for as long as the same is found.
 *
 * Beyond `limit`, workspaces behind the one that reached it describe no further datasets: which of
 * them were described by then is not known.
 */
export class HostedDatasets {
  readonly #describedBy = new Map<number, number>();
  /** That reached the limit. */
  #last: { readonly workspace: string | undefined } | undefined;

  constructor(private readonly limit = REMEMBERED) {}

  /** At the start of a run. */
  clear(): void {
    this.#describedBy.clear();
    this.#last = undefined;
  }

  /**
   * @param name - of the dataset that would describe it
   * @param workspace - undefined for `default`
   */
  mayDescribe(urn: string, name: string, workspace: string | undefined): boolean {
    const id = digestOf(urn);
    const describer = digestOf(JSON.stringify([workspace, name]));
    const known = this.#describedBy.get(id);
    if (known !== undefined) return known === describer;
    if (this.#last !== undefined) return this.#last.workspace === workspace;
    this.#describedBy.set(id, describer);
    if (this.#describedBy.size >= this.limit) this.#last = { workspace };
    return true;
  }
}

/** As much of it as a number holds: two of a million are one in a thousand times. */
function digestOf(text: string): number {
  return parseInt(hash('sha256', text, 'hex').slice(0, 13), 16);
}
