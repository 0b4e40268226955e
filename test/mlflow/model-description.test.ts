import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseModelHistory } from '../../src/mlflow/model-description.js';
import { signatureFields } from '../../src/mlflow/signature-fields.js';

/** As MLflow 1.28.0 noted a model with a signature, and 2.22.5 the same one. */
const OF_1_28 =
  '[{"run_id": "befbf9a1", "artifact_path": "model", "utc_time_created": "2026-11-26 10:49:45.307076", "flavors": {"python_function": {"cloudpickle_version": "2.2.1", "python_model": "python_model.pkl", "loader_module": "mlflow.pyfunc.model", "python_version": "3.11.7", "env": "conda.yaml"}}, "model_uuid": "dd617c73", "mlflow_version": "1.28.0", "signature": {"inputs": "[{\\"name\\": \\"age\\", \\"type\\": \\"long\\"}]", "outputs": "[{\\"type\\": \\"double\\"}]"}}]';
const OF_2_22 =
  '[{"run_id": "51584d73", "artifact_path": "sub/other", "utc_time_created": "2026-11-26 10:50:16.877046", "model_uuid": "2c34a801", "flavors": {"sklearn": {"code": null}, "python_function": {"streamable": false, "python_version": "3.11.7", "env": {"conda": "conda.yaml"}, "code": null}}}]';

describe('the history of models of a run', () => {
  it('is read as MLflow 1 and 2 write it', () => {
    expect(parseModelHistory(OF_1_28)).toEqual([
      {
        artifactPath: 'model',
        flavors: ['python_function'],
        pythonVersion: '3.11.7',
        mlflowVersion: '1.28.0',
        signature: {
          inputs: '[{"name": "age", "type": "long"}]',
          outputs: '[{"type": "double"}]',
        },
      },
    ]);
    expect(parseModelHistory(OF_2_22)).toEqual([
      {
        artifactPath: 'sub/other',
        flavors: ['python_function', 'sklearn'],
        pythonVersion: '3.11.7',
      },
    ]);
  });

  it.each(['', '{', '{}', '5', 'null'])('is none where it is no list: %j', (text) => {
    expect(parseModelHistory(text)).toBeUndefined();
  });

  it('may hold anything', () => {
    expect(
      parseModelHistory('[null, 5, {"flavors": ["x"], "signature": [], "__proto__": 1}]'),
    ).toEqual([{ flavors: [] }, { flavors: [] }, { flavors: [] }]);
    fc.assert(
      fc.property(fc.json(), (text) => {
        parseModelHistory(text);
        parseModelHistory(`[{"flavors": ${text}, "signature": ${text}}]`);
        signatureFields(`[${text}, {"name": "a", "type": "tensor", "tensor-spec": ${text}}]`);
      }),
    );
  });
});

describe('the fields of a signature', () => {
  it('are those with a name, each once', () => {
    const fields = [
      { name: 'age', type: 'long', required: true },
      { name: 'words', type: 'array', items: { type: 'string' }, required: false },
      { name: 'old', type: 'double', optional: true },
      { name: 'pixels', type: 'tensor', 'tensor-spec': { dtype: 'float32', shape: [-1, 28] } },
      { name: 'age', type: 'string' },
      { type: 'double' },
      { name: '', type: 'double' },
      { name: 'no type' },
    ];
    expect(signatureFields(JSON.stringify(fields))).toEqual([
      { name: 'age', type: 'long', native: 'long', isRequired: true },
      { name: 'words', type: 'array', native: 'array', isRequired: false },
      { name: 'old', type: 'double', native: 'double', isRequired: false },
      { name: 'pixels', type: 'tensor', native: 'tensor(float32, [-1, 28])', isRequired: true },
    ]);
    expect(signatureFields('{}')).toBeUndefined();
    expect(signatureFields('[')).toBeUndefined();
  });
});
