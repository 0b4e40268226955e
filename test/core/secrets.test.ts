import { describe, expect, it } from 'vitest';
import { hideSecrets } from '../../src/core/secrets.js';

describe('hideSecrets', () => {
  it('hides secrets as they are and as they stand in a URL', () => {
    const redact = hideSecrets({ secrets: ['p@ss/word'] });
    expect(redact('p@ss/word and p%40ss%2Fword')).toBe('*** and ***');
  });

  it('hides values of headers whole and word by word, but no short words', () => {
    const redact = hideSecrets({ headerValues: ['Bearer abc123 on'] });
    expect(redact('it says abc123, and goes on')).toBe('it says ***, and goes on');
  });

  it('hides the values of cookies', () => {
    const redact = hideSecrets({ headerValues: ['session=abcd==; theme=dark'] });
    expect(redact('abcd== of session=abcd== is over')).toBe('*** of *** is over');
  });

  it('hides the longer of two secrets that begin alike', () => {
    expect(hideSecrets({ secrets: ['abc', 'abcdef'] })('abcdef abc')).toBe('*** ***');
  });

  it('leaves text alone without secrets', () => {
    expect(hideSecrets({ secrets: ['', undefined] })('abc')).toBe('abc');
  });
});
