import { expect, it } from 'vitest';
import { linesWithSecrets } from './transcript.js';

it.each([
  ['as it is', 'before\npassword=my-s3cret!\nafter'],
  ['in capitals, percent-encoded around', 'before\nhttp://u:%40S3CRET%2F@host\nafter'],
  ...['', 'a', 'ab', 'abc', 'user:'].map((user) => [
    `in base64 behind "${user}"`,
    `before\nBasic ${Buffer.from(`${user}S3CRET-and-more`).toString('base64')}\nafter`,
  ]),
])('a secret is found %s', (_, text) => {
  expect(linesWithSecrets(text)).toEqual([text.split('\n')[1]]);
});

it('other texts are none', () => {
  expect(linesWithSecrets('a secret, http://***@host, Basic YW5uOmFiYw==')).toEqual([]);
});
