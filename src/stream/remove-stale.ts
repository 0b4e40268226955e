/**
 * After a complete sweep: what DataHub has from earlier ones and MLflow no longer has is marked as
 * removed there.
 *
 *   entities not given ─> the source confirms that they are gone ─> marked in the state
 *     ─> not more than the limit? ─> status.removed to every sink, page by page
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Proposal } from '../datahub/proposal.js';
import { parseRecordKey, type RecordKey } from '../mlflow/record-key.js';
import type { StaleReport } from '../state/options.js';
import type { Candidate, NumberedEntity } from '../state/stale.js';
import type { OpenSource, ReadPlan, RunContext } from './contracts.js';
import type { PageNotes, StateKeeper } from './keep-state.js';

/** As many as a source looks up at a time, and as a page of removals holds. */
const PAGE_SIZE = 500;

const LISTED_URNS = 1_000;

export interface Removal {
  readonly keeper: StateKeeper;
  readonly source: OpenSource<unknown>;
  readonly plan: ReadPlan;
  readonly context: RunContext;
  readonly dryRun: boolean;
  /** Delivers a page to every sink and notes it. */
  readonly deliver: (notes: PageNotes) => Promise<void>;
}

export const NOTHING_STALE: StaleReport = { removed: 0, kept: 0, urns: [], overLimit: false };

/** @throws PipelineError when the state or a sink can't go on */
export async function removeStale(removal: Removal): Promise<StaleReport> {
  const { keeper, dryRun } = removal;
  const { staleLimitPercent } = keeper.settings;
  const why = reasonToSkip(removal);
  if (why !== undefined) return { ...NOTHING_STALE, skipped: why };

  const total = keeper.state.countRemovable();
  const limit = (total * staleLimitPercent) / 100;
  const { going, kept } = await findGoing(removal);
  if (going === 0) return { ...NOTHING_STALE, kept };
  if (going > limit) {
    const { urns } = dryRun ? list(removal) : NOTHING_STALE;
    keeper.state.forgetGoing();
    return {
      ...NOTHING_STALE,
      urns,
      kept,
      overLimit: true,
      skipped:
        `${going} of ${total} entities would be removed, which is more than staleLimitPercent ` +
        `(${staleLimitPercent} %) allows: if that is what you want, raise it for one run`,
    };
  }
  const report = dryRun ? list(removal) : await send(removal);
  return { ...report, kept };
}

function reasonToSkip({ keeper, plan, source }: Removal): string | undefined {
  if (!keeper.settings.removeStale) return 'removeStale is off';
  const lost = [...(source.lostWorkspaces ?? [])];
  if (lost.length > 0) {
    return `it is not sure that everything was read (the rest of workspace ${lost.join(', ')})`;
  }
  if (keeper.anyRejected) {
    return 'some records could not be read or mapped, and what they stand for is not known';
  }
  // Below the version gate, or where operators leave a kind unread, absence says nothing.
  const unread = (['experiment', 'run', 'registeredModel', 'modelVersion'] as const).filter(
    (kind) => !plan.kinds.has(kind),
  );
  if (unread.length > 0) return `not everything was read (no ${unread.join(', ')})`;
  return undefined;
}

async function findGoing({
  keeper,
  source,
  plan,
  context,
}: Removal): Promise<{ going: number; kept: number }> {
  let going = 0;
  let kept = 0;
  let after: number | undefined;
  do {
    context.signal.throwIfAborted();
    const { candidates, next } = keeper.state.staleCandidates(after);
    for (let start = 0; start < candidates.length; start += PAGE_SIZE) {
      const page = candidates
        .slice(start, start + PAGE_SIZE)
        .filter(({ origin }) => isRead(origin, plan));
      const gone = await confirmedGone(page, source);
      keeper.state.markGoing(gone);
      going += gone.length;
      kept += page.length - gone.length;
    }
    after = next;
    await nextTurn(); // a million entities take seconds: signals must be heard meanwhile
  } while (after !== undefined);
  return { going, kept };
}

/** Of logged models that nobody wants any more nothing is asked: they stay. */
function isRead(origin: RecordKey, plan: ReadPlan): boolean {
  return plan.kinds.has('loggedModel') || parseRecordKey(origin).kind !== 'loggedModel';
}

async function confirmedGone(
  candidates: readonly Candidate[],
  source: OpenSource<unknown>,
): Promise<number[]> {
  const asked = candidates.filter(({ certain }) => !certain).map(({ origin }) => origin);
  const gone = asked.length === 0 ? undefined : await source.findGone?.([...new Set(asked)]);
  return candidates
    .filter(({ certain, origin }) => certain || gone?.has(origin) === true)
    .map(({ id }) => id);
}

function list({ keeper }: Removal): StaleReport {
  const urns: string[] = [];
  let removed = 0;
  for (let page = keeper.state.goingEntities(PAGE_SIZE); page.length > 0;) {
    removed += page.length;
    for (const { urn } of page) if (urns.length < LISTED_URNS) urns.push(urn);
    page = keeper.state.goingEntities(PAGE_SIZE, page.at(-1));
  }
  return { ...NOTHING_STALE, removed, urns };
}

async function send({ keeper, deliver, context }: Removal): Promise<StaleReport> {
  const urns: string[] = [];
  let removed = 0;
  for (;;) {
    context.signal.throwIfAborted();
    const page = keeper.state.goingEntities(PAGE_SIZE);
    if (page.length === 0) return { ...NOTHING_STALE, removed, urns };
    const proposals = page.map(asRemoved);
    for (const proposal of proposals) context.recorder.proposal(proposal);
    await deliver(
      keeper.beginRemoval(proposals, (count) => {
        removed += count;
      }),
    );
    for (const { urn } of page) if (urns.length < LISTED_URNS) urns.push(urn);
  }
}

/** `urn:li:<type>:…` names the type itself. */
function asRemoved({ urn: entityUrn }: NumberedEntity): Proposal {
  const [, , entityType = ''] = entityUrn.split(':', 3);
  return {
    entityType,
    entityUrn,
    changeType: 'UPSERT',
    aspectName: 'status',
    aspect: { removed: true },
  };
}
