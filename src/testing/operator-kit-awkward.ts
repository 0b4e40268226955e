/**
 * The operator kit's checks for what is odd, unknown or broken.
 */

import { tagProposal } from './sample-proposals.js';
import { ODD_NAMES, SAMPLE_SERVER } from './sample-records.js';
import {
  describe,
  itemsOf,
  OpenOperator,
  outputOf,
  printOf,
  type OperatorCheck,
  type OperatorSetup,
} from './operator-setup.js';
import { step } from './sink-setup.js';
import { verify } from './verify.js';

export const awkwardChecks: readonly OperatorCheck[] = [
  {
    name: 'takes odd names, or sets aside what has them',
    run: async (setup) => {
      for (const name of ODD_NAMES) {
        await step(JSON.stringify(name.slice(0, 40)), async () => {
          const items = await itemsOf(setup, [name]);
          await verifyTaken(setup, items);
        });
      }
    },
  },
  {
    name: 'keeps properties of any name, if it keeps properties',
    run: async (setup) => {
      const keeps = async (label: string): Promise<boolean> => {
        const output = await outputOf(setup, await itemsOf(setup, ['a'], label));
        return output.map(printOf).some((text) => text.includes(JSON.stringify(label)));
      };
      if (!(await keeps('plain'))) return;
      for (const label of ['__proto__', 'constructor', 'toString', '']) {
        verify(await keeps(label), `what is called ${JSON.stringify(label)} is lost`);
      }
    },
  },
  {
    name: 'passes through what it does not know, or sets it aside',
    run: async (setup) => {
      const unknown =
        setup.takes === 'record'
          ? [{ kind: 'prompt', server: SAMPLE_SERVER, prompt: { name: 'a' } }]
          : [
              {
                ...tagProposal('a', { title: 'a' }),
                ...{ entityType: 'dashboard', entityUrn: 'urn:li:dashboard:(looker,a)' },
                aspectName: 'dashboardInfo',
              },
              { ...tagProposal('a', { patch: [] }), changeType: 'PATCH' },
              { ...tagProposal('b'), headers: { 'If-Version-Match': '1' } },
            ];
      for (const item of unknown) await verifyTaken(setup, [item]);
    },
  },
  {
    name: 'sets aside what it can do nothing with, and goes on',
    run: async (setup) => {
      const broken = setup.takes === 'record' ? brokenRecords : brokenProposals();
      for (const [name, item] of Object.entries(broken)) {
        await step(name, async () => {
          await verifyTaken(setup, [item], true);
        });
      }
    },
  },
];

/** Verifies that nothing fails, that nothing is lost without a word, and that what follows is as ever. */
async function verifyTaken(
  setup: OperatorSetup,
  items: readonly unknown[],
  mayDrop = setup.drops,
): Promise<void> {
  const next = await itemsOf(setup, ['next']);
  const operator = new OpenOperator(setup);
  const { output, rejected, error } = await operator.give(items);
  verify(error === undefined, `it ends the run with ${describe(error)}`);
  verify(
    mayDrop || items.length === 0 || output.length + rejected.length > 0,
    `it drops ${printOf(items[0])} without a word`,
  );
  for (const { code, identity, message } of rejected) {
    verify(/^[A-Z][A-Z0-9_]*$/.test(code), `${code} is no code: UPPER_CASE`);
    verify(identity !== '' && message !== '', 'what is set aside has to say what it is, and why');
  }
  const after = await operator.give(next);
  const expected = await outputOf(setup, next);
  // What it gives once in a run may have come before.
  const come = new Set([...output, ...after.output].map(printOf));
  const missing = expected.map(printOf).find((each) => !come.has(each));
  verify(missing === undefined, `of what comes next, it does not give ${missing ?? ''}`);
}

/** Without the thing itself, as a source of one's own may give them. */
const brokenRecords = Object.fromEntries(
  ['experiment', 'run', 'registeredModel', 'modelVersion', 'dataset'].map((kind) => [
    kind,
    { kind, server: SAMPLE_SERVER },
  ]),
);

/** Such as an operator of one's own may make. */
function brokenProposals(): Readonly<Record<string, unknown>> {
  const urn = 'urn:li:mlModel:(urn:li:dataPlatform:mlflow,a_1,PROD)';
  const model = { ...tagProposal('a'), entityType: 'mlModel', entityUrn: urn };
  const circular: Record<string, unknown> = { name: 'a' };
  circular['self'] = circular;
  const aspects: Readonly<Record<string, unknown>> = {
    'no aspect': undefined,
    'an aspect that is null': null,
    'an aspect that is a text': 'a',
    'properties that are null': { name: 'a', customProperties: null },
    'a name that is no text': { name: 7 },
    'a list that is none': { tags: 'a', owners: 1, terms: {}, domains: null },
    'a list of nothing': { tags: [null], owners: [null], terms: [null], domains: [null] },
    'an aspect that has no form in JSON': circular,
  };
  const names = ['mlModelProperties', 'globalTags', 'ownership', 'glossaryTerms', 'domains'];
  return Object.fromEntries(
    Object.entries(aspects).flatMap(([what, aspect]) =>
      names.map((aspectName) => [`${aspectName}: ${what}`, { ...model, aspectName, aspect }]),
    ),
  );
}
