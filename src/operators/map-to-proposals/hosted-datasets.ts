/**
 * Which workspace describes a hosted dataset: it is one dataset, whoever reads it.
 */

import { hash } from 'node:crypto';

/** Hosted datasets that are told apart, about 60 bytes each. */
const REMEMBERED = 250_000;

/**
 * The workspace that describes it first. Workspaces are read in the same order each time, and each
 * names all of its datasets in every sweep, whatever else is left out: so it is the same one for as
 * long as the same is found.
 *
 * Beyond `limit`, workspaces behind the one that reached it describe no further datasets: which of
 * them were described by then is not known.
 */
export class HostedDatasets {
  readonly #describedBy = new Map<number, string | undefined>();
  /** That reached the limit. */
  #last: { readonly workspace: string | undefined } | undefined;

  constructor(private readonly limit = REMEMBERED) {}

  /** At the start of a run. */
  clear(): void {
    this.#describedBy.clear();
    this.#last = undefined;
  }

  /** @param workspace - undefined for `default` */
  mayDescribe(urn: string, workspace: string | undefined): boolean {
    // Of the digest as much as a number holds: two of a million are one in a thousand times.
    const id = parseInt(hash('sha256', urn, 'hex').slice(0, 13), 16);
    if (this.#describedBy.has(id)) return this.#describedBy.get(id) === workspace;
    if (this.#last !== undefined) return this.#last.workspace === workspace;
    this.#describedBy.set(id, workspace);
    if (this.#describedBy.size >= this.limit) this.#last = { workspace };
    return true;
  }
}
