import { describe, expect, it } from 'vitest';
import { mlflowSource } from '../../src/sources/mlflow-source.js';
import { runContext } from '../../src/testing/index.js';

describe('mlflowSource', () => {
  it.each([
    ['http://ann:s3cret@host:5000/prefix', 'mlflow http://host:5000/prefix'],
    ['sqlite:///mlflow.db', 'mlflow sqlite:///mlflow.db'],
    ['sqlite:////data/mlflow.db', 'mlflow sqlite:////data/mlflow.db'],
    ['postgresql://ann:s3cret@host/mlflow', 'mlflow postgresql://host/mlflow'],
    ['mysql+pymysql://ann:s3cret@host:3307/mlflow', 'mlflow mysql://host:3307/mlflow'],
    ['file:///data/mlruns', 'mlflow file:///data/mlruns'],
    ['/data/my runs/', 'mlflow file:///data/my%20runs'],
  ])('takes %s', (uri, label) => {
    expect(mlflowSource({ uri }).label).toBe(label);
  });

  it.each(['databricks', 'mssql://host/mlflow', 's3://bucket/mlruns'])(
    'refuses %s with advice, from the variable only when it is opened',
    async (uri) => {
      expect(() => mlflowSource({ uri })).toThrow(/start `mlflow server/);
      const source = mlflowSource();
      await expect(
        source.open({ ...runContext(), env: { MLFLOW_TRACKING_URI: uri } }),
      ).rejects.toMatchObject({ code: 'INVALID_URI', category: 'usage' });
    },
  );

  it('says where nothing says what to read', async () => {
    await expect(mlflowSource().open({ ...runContext(), env: {} })).rejects.toMatchObject({
      code: 'NO_TRACKING_URI',
    });
  });

  it('names itself where an option is wrong', () => {
    expect(() => mlflowSource({ uri: 'http://host', tokn: 'x' } as object)).toThrow(
      /mlflowSource: .*did you mean "token"/,
    );
    // Also where it is not known yet what kind of store it will be.
    expect(() => mlflowSource({ tokn: 'x' } as object)).toThrow(
      /mlflowSource: .*did you mean "token"/,
    );
    expect(() => mlflowSource({ lockTimeoutMs: 1 })).not.toThrow();
    expect(() => mlflowSource({ timeoutMs: 1 })).not.toThrow();
    expect(() => mlflowSource({ maxOpenFiles: 1 })).not.toThrow();
    expect(() => mlflowSource({ connectTimeoutMs: 1 })).not.toThrow();
  });
});
