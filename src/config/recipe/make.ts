/**
 * Makes the pipeline that a recipe is translated into.
 */

import { messageOf, PipelineError } from '../../core/errors.js';
import { Call, Derived, Reference, type Option, type Translation } from './option.js';

/**
 * @param factories - what this package exports, by name
 * @returns what `definePipeline` takes
 * @throws PipelineError what a factory throws, with the place in the recipe before it
 */
export function makePipeline(
  { source, operators, sinks, state }: Translation,
  factories: Readonly<Record<string, unknown>>,
): object {
  const make = (option: Option): unknown => {
    if (option instanceof Call) return callOf(option, factories, make);
    if (option instanceof Reference || option instanceof Derived) {
      throw new TypeError('a reference of a recipe was not expanded');
    }
    if (Array.isArray(option)) return (option as readonly Option[]).map(make);
    if (typeof option !== 'object') return option;
    return Object.fromEntries(
      Object.entries(option).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, make(value)]],
      ),
    );
  };
  return {
    source: make(source),
    operators: operators.map(make),
    sinks: sinks.map(make),
    ...(state === undefined ? {} : { state: make(state) }),
  };
}

function callOf(
  { factory, argument, place }: Call,
  factories: Readonly<Record<string, unknown>>,
  make: (option: Option) => unknown,
): unknown {
  const made = argument === undefined ? [] : [make(argument)];
  try {
    return (factories[factory] as (...given: unknown[]) => unknown)(...made);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    const { code, category } = error;
    const text = messageOf(error);
    // One of a rule within has its place already.
    if (text.startsWith(place)) throw error;
    throw new PipelineError(`${place}: ${text}`, { code, category, cause: error });
  }
}
