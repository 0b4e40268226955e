/**
 * Tells sinks apart that have one label.
 */

import type { Sink } from './contracts.js';

/**
 * The same sinks, each with a label of its own: the second `webhook` is `webhook (2)`. What is
 * delivered, refused, remembered and replayed is kept by sink, and a sink is known by its label. The
 * order of the sinks decides, so that a replay with the same configuration finds them again.
 */
export function withDistinctLabels(sinks: readonly Sink[]): readonly Sink[] {
  const taken = new Set(sinks.map(({ label }) => label));
  const given = new Set<string>();
  return sinks.map((sink) => {
    if (!given.has(sink.label)) {
      given.add(sink.label);
      return sink;
    }
    let number = 2;
    while (taken.has(`${sink.label} (${number})`)) number += 1;
    const label = `${sink.label} (${number})`;
    taken.add(label);
    return labelled(sink, label);
  });
}

/** A sink may be an instance of a class, whose methods a spread would lose. */
function labelled(sink: Sink, label: string): Sink {
  return {
    label,
    ...(sink.onError === undefined ? {} : { onError: sink.onError }),
    ...(sink.path === undefined ? {} : { path: sink.path }),
    open: (...given) => sink.open(...given),
    check: (...given) => sink.check(...given),
  };
}
