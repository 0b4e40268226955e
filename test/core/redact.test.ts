import { describe, expect, it } from 'vitest';
import { redact, redactor, secretsOf } from '../../src/core/redact.js';

describe('redact', () => {
  it.each([
    ['https://ann:s3cret@host:5000/p', 'https://***@host:5000/p'],
    ['https://s3cret@host', 'https://***@host'],
    ['http%3A%2F%2Fann%3As3cret%40host%3A1&x=a%40b', 'http%3A%2F%2F***%40host%3A1&x=a%40b'],
    ['?registry=http://ann:s3cret%40host', '?registry=http://***%40host'],
    ['https://ann:s3@cret@host/p', 'https://***@host/p'],
    ['https://ann:s3/cr?et@host/p', 'https://***@host/p'],
    ['a kafka://u:s3cret@b1:9092,b2:9092/topic b', 'a kafka://***@b1:9092,b2:9092/topic b'],
    ['http://host/?token=s3cret&x=1', 'http://host/?token=***&x=1'],
    ['MLFLOW_TRACKING_PASSWORD=s3cret', 'MLFLOW_TRACKING_PASSWORD=***'],
    ['{"sasl":{"password":"s3cret"}}', '{"sasl":{"password":"***"}}'],
    ['authorization: Bearer s3cret.abc', 'authorization: Bearer ***'],
    ['Basic czNjcmV0OmE=', 'Basic ***'],
  ])('%s', (text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  it.each([
    'http://host:5000/path@x',
    'models:/name@champion',
    'sqlite:////data/mlflow.db',
    'a basic question about tokens',
    'urn:li:corpuser:ann@example.com',
  ])('leaves alone %s', (text) => {
    expect(redact(text)).toBe(text);
  });
});

describe('redactor', () => {
  const clean = redactor(['swordfish', 'swordfish-long', 'short', '']);

  it('hides known secrets wherever they stand, but no short ones', () => {
    expect(clean('x swordfish y swordfish-long short')).toBe('x *** y *** short');
    expect(clean({ a: ['swordfish'], b: { c: 'swordfish' }, n: 1, z: null })).toEqual({
      a: ['***'],
      b: { c: '***' },
      n: 1,
      z: null,
    });
  });

  it('hides values under telling keys', () => {
    expect(clean({ password: 'x', Authorization: 'y', accessToken: 'z', tokens: 3 })).toEqual({
      password: '***',
      Authorization: '***',
      accessToken: '***',
      tokens: 3,
    });
  });

  it('takes errors apart, causes too, and ends on a circle', () => {
    const error = new Error('at swordfish', { cause: new Error('http://u:p@host') });
    const plain = clean({ err: error });
    expect(JSON.stringify(plain)).not.toMatch(/swordfish|u:p/);
    expect(plain.err).toMatchObject({ message: 'at ***', cause: { message: 'http://***@host' } });
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(() => clean(circle)).not.toThrow();
  });
});

it('finds the secrets of the environment by their names', () => {
  expect(
    secretsOf({ MLFLOW_TRACKING_TOKEN: 'a', DATAHUB_GMS_TOKEN: 'b', HOME: 'c', X_PASSWORD: 'd' }),
  ).toEqual(['a', 'b', 'd']);
});
