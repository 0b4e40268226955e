import fc from 'fast-check';
import { from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../../src/core/errors.js';
import type { MlflowRecord } from '../../../src/mlflow/records.js';
import { buildUrns } from '../../../src/operators/build-urns.js';
import type { IdentifiedRecord } from '../../../src/operators/identified-record.js';
import { mapToProposals } from '../../../src/operators/map-to-proposals/index.js';
import { itIsAnOperator, outputOf, recordingContext } from '../operator-cases.js';
import {
  datasetRecord,
  experimentRecord,
  modelRecord,
  run,
  runRecord,
  serverRecord,
  use,
  version,
  versionRecord,
} from '../records.js';
import { map } from './mapped.js';

const all: readonly MlflowRecord[] = [
  serverRecord(),
  experimentRecord(),
  modelRecord(),
  runRecord({}, [version()]),
  versionRecord({}, run()),
  datasetRecord(use()),
];
const identified = outputOf(buildUrns(), ...all);

describe('mapToProposals', () => {
  itIsAnOperator(() => mapToProposals(), identified);

  it('rejects a record that it fails on, and the others go on', () => {
    const { context, rejected } = recordingContext();
    const operator = mapToProposals();
    operator.open?.(context);
    const [bad] = outputOf(buildUrns(), modelRecord());
    const broken = { ...bad, model: { name: 'churn' } } as unknown as IdentifiedRecord;
    const odd = { kind: 'pipeline' } as unknown as IdentifiedRecord;
    expect(outputOf(operator, broken, odd, ...identified)).toEqual(
      outputOf(mapToProposals(), ...identified),
    );
    expect(rejected).toMatchObject([
      { kind: 'record', code: 'UNMAPPABLE_RECORD', identity: 'registered model churn' },
      { kind: 'record', code: 'UNKNOWN_RECORD_KIND' },
    ]);
    expect(rejected[0]?.content).toBe(broken);
  });

  it('errors the stream outside a pipeline, where nobody takes rejections', () => {
    const odd = { kind: 'pipeline' } as unknown as IdentifiedRecord;
    expect(() => outputOf(mapToProposals(), odd)).toThrow(PipelineError);
  });

  it('gives nothing undefined and no number that JSON has no form for', () => {
    const text = fc.string({ unit: 'binary' });
    const record = fc.record({ name: text, description: text, value: fc.double() });
    fc.assert(
      fc.property(record, ({ name, description, value }) => {
        const metrics = [{ key: name, value, timestamp: 0, step: 0 }];
        const pair = [{ key: name, value: description }];
        const { proposals } = map([
          experimentRecord({ name, tags: pair }),
          modelRecord({ name, description, tags: pair }),
          runRecord({ runName: name, metrics, params: pair, tags: pair }, [version({ name })]),
          versionRecord({ name, description, tags: pair }, run({ metrics, params: pair })),
          datasetRecord(use({ name, schema: description }, { context: name })),
        ]);
        for (const proposal of proposals) {
          expect(JSON.parse(JSON.stringify(proposal))).toEqual(proposal);
        }
      }),
    );
  });

  it('refuses options that it does not know', () => {
    expect(() => mapToProposals({ baseExternalUrl: 'mlflow.example.com' })).toThrow(
      /"baseExternalUrl" must be a URL/,
    );
    expect(() => mapToProposals({ base_external_url: 'http://x' } as object)).toThrow(
      /did you mean "baseExternalUrl"/,
    );
    const toTag = { sourceMappingToPlatform: { s3: 'urn:li:tag:s3' } };
    expect(() => mapToProposals(toTag)).toThrow(
      /"sourceMappingToPlatform.s3" must be the name or the URN of a platform/,
    );
    const lost = { sourceMappingToPlatform: { ['__proto__']: 'hive' } };
    expect(() => mapToProposals(lost)).toThrow(/"sourceMappingToPlatform" can't have "__proto__"/);
  });

  it('works as its example says', () => {
    const server = { uri: 'http://host:5000', versionText: '2.22.5', searchesExperiments: true };
    const times = { creationTimestamp: 1, lastUpdatedTimestamp: 2 };
    const model = { name: 'churn', ...times, tags: [], aliases: [] };
    const seen: string[] = [];
    from<MlflowRecord[]>([{ kind: 'registeredModel', server, model }])
      .pipe(buildUrns(), mapToProposals())
      .subscribe(({ entityUrn, aspectName }) => seen.push(`${entityUrn} ${aspectName}`));
    expect(seen).toEqual(
      ['mlModelGroupProperties', 'dataPlatformInstance', 'subTypes', 'browsePathsV2', 'status'].map(
        (aspect) => `urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,churn,PROD) ${aspect}`,
      ),
    );
  });
});
