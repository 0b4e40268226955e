/**
 * What a user leaves out of a store, as options have it: `docs/operators.md` tells what each means.
 */

/** Patterns of which a text has to match one, or those and others of which it must match none. */
export type Choice =
  | readonly string[]
  | {
      readonly allow?: readonly string[] | undefined;
      readonly deny?: readonly string[] | undefined;
    };

/** Patterns of values by the names of tags: all of `allow` have to match, and none of `deny` may. */
export interface TagChoice {
  readonly allow?: Readonly<Record<string, string>> | undefined;
  readonly deny?: Readonly<Record<string, string>> | undefined;
}

export interface ExperimentRules {
  readonly names?: Choice | undefined;
  readonly tags?: TagChoice | undefined;
  /** An age, as `ageMs` takes it; here and in what follows. */
  readonly createdWithin?: string | undefined;
}

export interface RunRules {
  readonly names?: Choice | undefined;
  readonly tags?: TagChoice | undefined;
  readonly statuses?: Choice | undefined;
  readonly users?: Choice | undefined;
  readonly startedWithin?: string | undefined;
}

export interface ModelRules {
  readonly names?: Choice | undefined;
  readonly tags?: TagChoice | undefined;
  readonly createdWithin?: string | undefined;
  readonly updatedWithin?: string | undefined;
}

export interface VersionRules {
  readonly tags?: TagChoice | undefined;
  readonly stages?: Choice | undefined;
  readonly aliases?: Choice | undefined;
  readonly statuses?: Choice | undefined;
  readonly users?: Choice | undefined;
  readonly createdWithin?: string | undefined;
  readonly updatedWithin?: string | undefined;
}

export interface LoggedModelRules {
  readonly names?: Choice | undefined;
  readonly tags?: TagChoice | undefined;
  readonly statuses?: Choice | undefined;
  readonly types?: Choice | undefined;
  readonly createdWithin?: string | undefined;
}

export interface FilterRules {
  readonly experiments?: ExperimentRules | undefined;
  readonly runs?: RunRules | undefined;
  readonly models?: ModelRules | undefined;
  readonly versions?: VersionRules | undefined;
  readonly loggedModels?: LoggedModelRules | undefined;
}

/** Those that are allowed, and those that are not. */
export function sidesOf(choice: Choice): Exclude<Choice, readonly string[]> {
  return isList(choice) ? { allow: choice } : choice;
}

/** `Array.isArray` does not tell lists that can't be written from objects. */
function isList(choice: Choice): choice is readonly string[] {
  return Array.isArray(choice);
}
