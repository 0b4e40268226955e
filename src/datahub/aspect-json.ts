/**
 * The JSON text of aspects, made once where several want it: what tells whether something has
 * changed, and each sink.
 */

import type { Aspect } from './proposal.js';

const remembered = new WeakMap<Aspect, string>();

/**
 * The text of an aspect as it is now, remembered until it is forgotten: for one that is on its way to
 * sinks, and changes no more until it has arrived.
 *
 * @throws TypeError for what JSON has no form for: a cycle, a BigInt, what is no object
 */
export function rememberedJson(aspect: Aspect): string {
  const text = jsonOf(aspect);
  remembered.set(aspect, text);
  return text;
}

/** It has arrived, and may change again. */
export function forgetJson(aspect: Aspect): void {
  remembered.delete(aspect);
}

/**
 * The text of an aspect in a sink's hands: the remembered one where there is one.
 *
 * @throws TypeError as above
 */
export function aspectJson(aspect: Aspect): string {
  return remembered.get(aspect) ?? jsonOf(aspect);
}

function jsonOf(aspect: Aspect): string {
  // Operators of users may not be compiled, and `undefined` would silently vanish.
  if (typeof aspect !== 'object' || (aspect as unknown) === null) {
    throw new TypeError('the aspect is not an object');
  }
  const text = JSON.stringify(aspect) as string | undefined;
  if (text === undefined) throw new TypeError('the aspect has no JSON');
  return text;
}
