import fc from 'fast-check';
import { of as just } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Aspect, Proposal } from '../../src/datahub/proposal.js';
import { dedup } from '../../src/operators/dedup.js';
import { itIsAnOperator, outputOf, recordingContext } from './operator-cases.js';

function proposal(urn: string, aspect: Aspect, parts: Partial<Proposal> = {}): Proposal {
  return {
    entityType: 'tag',
    entityUrn: `urn:li:tag:${urn}`,
    changeType: 'UPSERT',
    aspectName: 'tagProperties',
    aspect,
    ...parts,
  };
}

const a = proposal('x', { name: 'a' });
const b = proposal('x', { name: 'b' });

describe('dedup', () => {
  itIsAnOperator(() => dedup(), [a, b, proposal('y', { name: 'a' })]);

  it('drops what was last sent for the same aspect of the same entity', () => {
    const { context, recorder } = recordingContext();
    const operator = dedup();
    operator.open?.(context);
    const status = proposal('x', { name: 'a' }, { aspectName: 'status' });
    expect(outputOf(operator, a, { ...a }, status, status, b, b)).toEqual([a, status, b]);
    expect(recorder.counts().skipped).toEqual({ 'unchanged repeat': 3 });
  });

  it.each([1, 60, 64, 1_000])('tells contents of %i characters and more apart', (length) => {
    const [a, b] = ['a', 'b'].map((end) => proposal('x', { name: 'x'.repeat(length) + end }));
    if (a === undefined || b === undefined) throw new Error('nothing to send');
    expect(outputOf(dedup(), a, a, b, b, a)).toEqual([a, b, a]);
  });

  it('sends A, B, A whole', () => {
    expect(outputOf(dedup(), a, b, a)).toEqual([a, b, a]);
  });

  it('remembers from page to page', () => {
    const operator = dedup();
    expect(outputOf(operator, a)).toEqual([a]);
    expect(outputOf(operator, a)).toEqual([]);
  });

  it('forgets an earlier run of the pipeline', () => {
    const operator = dedup();
    outputOf(operator, a);
    operator.open?.(recordingContext().context);
    expect(outputOf(operator, a)).toEqual([a]);
  });

  it('sends again what was not delivered', () => {
    const operator = dedup();
    outputOf(operator, a);
    operator.onUndelivered?.(a);
    expect(outputOf(operator, a, a)).toEqual([a]);
  });

  it.each(['container', 'dataProcessInstance', 'mlFeature', 'mlModel', 'mlModelGroup'])(
    'never looks at a %s, which is read once, unless told to',
    (entityType) => {
      const ofRun = proposal('x', { name: 'a' }, { entityType });
      expect(outputOf(dedup(), ofRun, ofRun)).toEqual([ofRun, ofRun]);
      expect(outputOf(dedup({ passEntityTypes: [] }), ofRun, ofRun)).toEqual([ofRun]);
    },
  );

  it('passes events and patches, and knows nothing of an aspect after its patch', () => {
    const event = proposal('x', { timestampMillis: 1 }, { aspectName: 'operation' });
    expect(outputOf(dedup(), event, event)).toEqual([event, event]);
    const patch = proposal('x', { patch: [] }, { changeType: 'PATCH' });
    expect(outputOf(dedup(), a, patch, patch, a, a)).toEqual([a, patch, patch, a]);
    const conditional = { ...a, headers: { 'If-Version-Match': '1' } };
    expect(outputOf(dedup(), a, conditional, conditional, a)).toEqual([
      a,
      conditional,
      conditional,
      a,
    ]);
  });

  it('leaves it to the sink to complain about what is no aspect', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    const bad = [cyclic, null, undefined, 5].map((aspect) => proposal('x', aspect as Aspect));
    expect(outputOf(dedup(), ...bad)).toHaveLength(4);
  });

  it('may repeat what its bound pushed out', () => {
    const others = ['1', '2', '3'].map((urn) => proposal(urn, {}));
    expect(outputOf(dedup({ maxEntries: 2 }), a, ...others, a)).toHaveLength(5);
    expect(outputOf(dedup({ maxEntries: 4 }), a, ...others, a)).toHaveLength(4);
  });

  it('ends with the same state as without it, whatever the bound and the failures', () => {
    const step = fc.record({ urn: fc.nat(3), name: fc.nat(2), fails: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 1, max: 4 }), (steps, maxEntries) => {
        const operator = dedup({ maxEntries });
        const sent = new Map<string, string>();
        const wanted = new Map<string, string>();
        for (const { urn, name, fails } of steps) {
          const next = proposal(String(urn), { name });
          const [out] = outputOf(operator, next);
          // A sink that refuses keeps what it had; whoever comes next with it is to be let through.
          if (out !== undefined && fails) operator.onUndelivered?.(out);
          else {
            if (out !== undefined) sent.set(out.entityUrn, JSON.stringify(out.aspect));
            wanted.set(next.entityUrn, JSON.stringify(next.aspect));
            expect(sent.get(next.entityUrn)).toBe(wanted.get(next.entityUrn));
          }
        }
      }),
    );
  });

  it('refuses options that it does not know', () => {
    expect(() => dedup({ maxEntries: 0 })).toThrow(/"maxEntries" must be at least 1/);
    expect(() => dedup({ max: 5 } as object)).toThrow(/unknown option "max"/);
  });

  it('works as its example says', () => {
    const status: Proposal = {
      entityType: 'tag',
      entityUrn: 'urn:li:tag:x',
      changeType: 'UPSERT',
      aspectName: 'status',
      aspect: { removed: false },
    };
    const seen: string[] = [];
    just(status, status)
      .pipe(dedup({ maxEntries: 1_000 }))
      .subscribe(({ aspectName }) => seen.push(aspectName));
    expect(seen).toEqual(['status']);
  });
});
