import * as rxjs from 'rxjs';
import { describe, expect, it } from 'vitest';
import * as used from '../../src/core/rxjs.js';

describe('what is used of RxJS', () => {
  it.each(Object.entries(used))('has its very own %s', (name, value) => {
    expect(value).toBe((rxjs as Record<string, unknown>)[name]);
  });
});
