/**
 * `dedup`: sends the same thing about the same entity once.
 */

import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import { filter } from 'rxjs';
import type { Aspect, Proposal } from '../datahub/proposal.js';
import type { Operator, RunContext } from '../stream/contracts.js';

export const dedupOptionsSchema = z.strictObject({
  maxEntries: z
    .int()
    .min(1)
    .default(100_000)
    .describe('Aspects remembered, about 170 bytes each; beyond it, the oldest may be sent again'),
  passEntityTypes: z
    .array(z.string())
    .default(['container', 'dataProcessInstance', 'mlFeature', 'mlModel', 'mlModelGroup'])
    .describe(
      'Entity types that never repeat (a run or a model is read once), and so are not looked at',
    ),
});

export type DedupOptions = z.input<typeof dedupOptionsSchema>;

/** JSON no longer than this is its own digest. No digest looks like it: none has a brace. */
const SHORT = 64;

/**
 * Drops a proposal whose content is what was last sent for the same aspect of the same entity in
 * this run of the pipeline: users, tags and datasets come up again and again. Compared is with the
 * last content only, so A, B, A is sent whole and ends as A.
 *
 * Two kinds of proposals always pass: patches, which are no content to compare with (and make the
 * last one unknown), and time series, where each is an event of its own. What was not delivered is
 * forgotten. What `maxEntries` pushes out may be sent again; nothing is lost by it.
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const status: Proposal = {
 *   entityType: 'tag', entityUrn: 'urn:li:tag:x', changeType: 'UPSERT',
 *   aspectName: 'status', aspect: { removed: false },
 * };
 * of(status, status)
 *   .pipe(dedup({ maxEntries: 1_000 }))
 *   .subscribe(({ aspectName }) => console.log(aspectName)); // status
 */
export function dedup(options: DedupOptions = {}): Operator<Proposal, Proposal> {
  const settings = parseOptions('dedup', dedupOptionsSchema, options);
  const passed: ReadonlySet<string> = new Set(settings.passEntityTypes);
  const lastSent = new LRUCache<string, string>({ max: settings.maxEntries });
  let context: RunContext | undefined;

  const isNews = (proposal: Proposal): boolean => {
    if (passed.has(proposal.entityType)) return true;
    const key = keyOf(proposal);
    // Of a condition in its headers nobody knows here whether it was met.
    if (proposal.changeType !== 'UPSERT' || proposal.headers !== undefined) {
      lastSent.delete(key);
      return true;
    }
    if (isEvent(proposal.aspect)) return true;
    const digest = digestOf(proposal.aspect);
    if (digest === undefined) return true;
    if (lastSent.get(key) === digest) {
      context?.recorder.skipped('unchanged repeat');
      return false;
    }
    lastSent.set(key, digest);
    return true;
  };

  const operator: Operator<Proposal, Proposal> = filter(isNews);
  return Object.assign(operator, {
    label: 'dedup',
    signature: 'dedup', // what it drops was said before, whatever its options
    open: (run: RunContext) => {
      context = run;
      lastSent.clear();
    },
    onUndelivered: (proposal: Proposal) => {
      lastSent.delete(keyOf(proposal));
    },
  });
}

function keyOf({ entityUrn, aspectName }: Proposal): string {
  return `${entityUrn} ${aspectName}`;
}

/** All of DataHub's time series have this field, and nothing else has. */
function isEvent(aspect: Aspect): boolean {
  return typeof (aspect as Aspect | undefined)?.['timestampMillis'] === 'number';
}

/** Undefined for what has no form in JSON: the sink is to say what is wrong with it. */
function digestOf(aspect: Aspect): string | undefined {
  try {
    const json = JSON.stringify(aspect);
    return json.length <= SHORT ? json : hash('md5', json, 'base64');
  } catch {
    return undefined;
  }
}
