/**
 * The checks that every operator must pass, for any test framework: what `Operator` promises, tried out.
 */

import type { ReadPlan, AnyOperator } from '../stream/contracts.js';
import { RECORD_KINDS, type MlflowRecord } from '../mlflow/records.js';
import type { ServerFacts } from '../mlflow/types.js';
import type { Proposal } from '../datahub/proposal.js';
import { awkwardChecks } from './operator-kit-awkward.js';
import { pageChecks } from './operator-kit-pages.js';
import {
  itemsOf,
  OpenOperator,
  outputOf,
  PAGE,
  printOf,
  soundOutput,
  verifySameOutput,
  type OperatorCheck,
  type OperatorSetup,
} from './operator-setup.js';
import { deepFrozen } from './sample-proposals.js';
import { SAMPLE_SERVER } from './sample-records.js';
import { verify, type KitCheck } from './verify.js';

export interface OperatorKitOptions {
  /** Makes the operator as a configuration does. */
  readonly make: () => AnyOperator;
  /** What goes into it. Default: what it says itself, or else proposals. */
  readonly takes?: 'record' | 'proposal';
  /** Makes the operators that have to stand before it, such as `buildUrns`. Default: none. */
  readonly before?: () => readonly AnyOperator[];
  /** Whether it may drop things without a word, as a filter does. Default: no. */
  readonly drops?: boolean;
}

/**
 * The checks for an operator, each a name and a function that rejects when the operator breaks its
 * contract. It is given pages about experiments, runs, models, versions and datasets, as records of
 * MLflow or as proposals.
 *
 * @example
 * for (const check of operatorKit({ make: () => ownersFromTag('team') })) {
 *   test(check.name, () => check.run());
 * }
 */
export function operatorKit(options: OperatorKitOptions): readonly KitCheck[] {
  const { make, takes, before = () => [], drops = false } = options;
  const setup: OperatorSetup = { make, takes: takes ?? make().takes ?? 'proposal', before, drops };
  const checks = [...shapeChecks, ...pageChecks, ...repeatChecks, ...awkwardChecks];
  return checks.map((check) => ({
    name: check.name,
    run: async () => {
      await check.run(setup);
    },
  }));
}

const shapeChecks: readonly OperatorCheck[] = [
  {
    name: 'is a function of the stream alone, with labels of one line',
    run: ({ make }) => {
      const operator = make();
      verify(operator.length === 1, `it takes ${operator.length} arguments instead of the stream`);
      for (const text of [operator.label, operator.signature]) {
        verify(text === undefined || /^\S.*$/.test(text), `${JSON.stringify(text)} is no label`);
      }
      verify(operator.signature === make().signature, 'made again, it has another signature');
      return Promise.resolve();
    },
  },
  {
    name: 'takes out of a plan only what it drops',
    run: async (setup) => {
      for (const server of SERVERS) {
        const open = new OpenOperator(setup);
        const given: ReadPlan = { kinds: new Set(RECORD_KINDS) };
        const plan = open.operator.narrow?.(given, server) ?? given;
        verify(isSubset(plan.kinds, given.kinds), 'narrow() adds to the plan');
        if (setup.takes !== 'record') continue;
        const items = (await itemsOf(setup, PAGE)) as readonly MlflowRecord[];
        const dropped = items.filter(({ kind }) => !plan.kinds.has(kind));
        const outcome = await open.give(dropped.map((item) => ({ ...item, server })));
        verifySameOutput(soundOutput(outcome), [], 'of what narrow() takes out of the plan');
      }
    },
  },
];

/** A new one, an old one, and one that does not tell its version. */
const SERVERS: readonly ServerFacts[] = [
  SAMPLE_SERVER,
  { ...SAMPLE_SERVER, version: '1.20.0', versionText: '1.20.0', searchesExperiments: false },
  { uri: SAMPLE_SERVER.uri, versionText: 'older than 1.28.0', searchesExperiments: false },
];

function isSubset<T>(part: ReadonlySet<T>, whole: ReadonlySet<T>): boolean {
  return [...part].every((each) => whole.has(each));
}

const repeatChecks: readonly OperatorCheck[] = [
  {
    name: 'gives the same bytes for the same page, where it has a signature',
    run: async (setup) => {
      if (setup.make().signature === undefined) return;
      const items = await itemsOf(setup, PAGE);
      const first = await outputOf(setup, items);
      verifySameOutput(await outputOf(setup, items), first, 'made and asked again');
    },
  },
  {
    name: 'forgets an earlier run when another one begins',
    run: async (setup) => {
      const items = await itemsOf(setup, PAGE);
      const operator = new OpenOperator(setup);
      const first = soundOutput(await operator.give(items));
      operator.openAgain();
      const second = soundOutput(await operator.give(items));
      verifySameOutput(second, first, 'in a second run');
    },
  },
  {
    name: 'gives again what was not delivered',
    run: async (setup) => {
      const items = await itemsOf(setup, PAGE);
      const operator = new OpenOperator(setup);
      const first = soundOutput(await operator.give(items));
      for (const each of first) {
        if (isProposal(each)) operator.operator.onUndelivered?.(each);
      }
      const again = new Set(soundOutput(await operator.give(items)).map(printOf));
      const missing = first.find((each) => !again.has(printOf(each)));
      verify(missing === undefined, `it does not give again ${printOf(missing)}`);
    },
  },
  {
    name: 'leaves what it is given as it is',
    run: async (setup) => {
      const expected = await new OpenOperator(setup).give(await itemsOf(setup, PAGE));
      const items = (await itemsOf(setup, PAGE)).map(deepFrozen);
      const found = await new OpenOperator(setup).give(items);
      const [set] = found.rejected;
      verify(
        found.rejected.length === expected.rejected.length,
        `of what can't be changed it sets aside ${set?.identity ?? ''}: ${set?.message ?? ''}`,
      );
      verifySameOutput(soundOutput(found), soundOutput(expected), "of what can't be changed");
    },
  },
];

function isProposal(item: unknown): item is Proposal {
  return typeof item === 'object' && item !== null && 'aspectName' in item;
}
