/**
 * Asks a server itself, over plain REST, and looks for what it says among the proposals. Where the
 * pipeline differs from DataHub's connector, there is no other witness.
 */

import { canonical, keyOf, type FiledProposal, type Json, type JsonObject } from './proposals.js';
import type { MlflowServer } from './servers.js';

interface Tag {
  readonly key: string;
  readonly value?: string;
}

interface Run {
  readonly info: { readonly run_id: string; readonly run_name?: string };
  readonly data: { readonly tags?: readonly Tag[] };
}

interface Version {
  readonly name: string;
  readonly version: string;
  readonly run_id?: string;
}

interface Model {
  readonly name: string;
  readonly aliases?: readonly { readonly alias: string; readonly version: string }[];
}

/** Everything that is otherwise than the server says, each a sentence. */
export async function checkAgainstServer(
  { uri, version }: MlflowServer,
  proposals: readonly FiledProposal[],
): Promise<readonly string[]> {
  const aspects = new Map(proposals.map((proposal) => [keyOf(proposal), proposal.aspect.json]));
  const problems: string[] = [];
  const expectSame = (what: string, found: Json | undefined, expected: Json): void => {
    if (found === undefined || canonical(found) !== canonical(expected)) {
      problems.push(
        `${what}: ${found === undefined ? 'nothing' : canonical(found)}, not ${canonical(expected)}`,
      );
    }
  };

  const { model_versions: versions = [] } = (await ask(uri, 'model-versions/search')) as {
    readonly model_versions?: readonly Version[];
  };
  const { registered_models: models = [] } = (await ask(
    uri,
    'registered-models/search?max_results=1000',
  )) as { readonly registered_models?: readonly Model[] };

  for (const model of models) {
    const own = versions.filter(({ name }) => name === model.name);
    const group = aspects.get(`${modelUrn('mlModelGroup', model.name)} mlModelGroupProperties`);
    if (own.length > 0) {
      const highest = String(Math.max(...own.map((item) => Number(item.version))));
      expectSame(`highest version of ${model.name}`, tagOf(group?.['version']), highest);
    }
    for (const item of own) {
      const urn = modelUrn('mlModel', `${item.name}_${item.version}`);
      const aliases = (model.aliases ?? [])
        .filter((alias) => alias.version === item.version)
        .map(({ alias }) => ({ versionTag: alias }))
        .sort((a, b) => (a.versionTag < b.versionTag ? -1 : 1));
      expectSame(
        `aliases of ${urn}`,
        aspects.get(`${urn} versionProperties`)?.['aliases'],
        aliases,
      );
    }
  }

  if (version !== '1.27.0') {
    const properties = runProperties(proposals);
    for (const run of await runsOf(uri)) {
      const { run_id: id } = run.info;
      const found = properties.get(id);
      if (found === undefined) {
        problems.push(`run ${id} is missing`);
        continue;
      }
      const tags = (run.data.tags ?? []).map(({ key, value }) => [key, value ?? ''] as const);
      expectSame(`tags of run ${id}`, found.properties['customProperties'], fromEntries(tags));
      const name = run.info.run_name ?? new Map(tags).get('mlflow.runName') ?? id;
      expectSame(`name of run ${id}`, found.properties['name'], name);
      const outputs = versions
        .filter((item) => item.run_id === id)
        .map((item) => modelUrn('mlModel', `${item.name}_${item.version}`))
        .sort();
      const edges = aspects.get(`${found.urn} dataProcessInstanceOutput`)?.['outputEdges'] ?? [];
      expectSame(`outputs of run ${id}`, destinations(edges), outputs);
    }
  }
  return problems;
}

/** The properties of each run's dataProcessInstance, by MLflow's id. */
function runProperties(
  proposals: readonly FiledProposal[],
): ReadonlyMap<string, { readonly urn: string; readonly properties: JsonObject }> {
  const ids = new Map(
    proposals
      .filter(({ aspectName }) => aspectName === 'mlTrainingRunProperties')
      .map(({ entityUrn, aspect }) => [entityUrn, idOf(aspect.json)]),
  );
  return new Map(
    proposals
      .filter(({ aspectName }) => aspectName === 'dataProcessInstanceProperties')
      .map(({ entityUrn, aspect }) => [
        ids.get(entityUrn) ?? '',
        { urn: entityUrn, properties: aspect.json },
      ]),
  );
}

async function runsOf(uri: string): Promise<readonly Run[]> {
  const { experiments = [] } = (await ask(uri, 'experiments/search?max_results=1000')) as {
    readonly experiments?: readonly { readonly experiment_id: string }[];
  };
  const { runs = [] } = (await ask(uri, 'runs/search', {
    experiment_ids: experiments.map(({ experiment_id: id }) => id),
    max_results: 1000,
  })) as { readonly runs?: readonly Run[] };
  return runs;
}

async function ask(uri: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${uri}/api/2.0/mlflow/${path}`, {
    ...(body === undefined
      ? {}
      : {
          method: 'POST',
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

function modelUrn(kind: 'mlModel' | 'mlModelGroup', name: string): string {
  const encoded = name.replaceAll(',', '%2C').replaceAll('(', '%28').replaceAll(')', '%29');
  return `urn:li:${kind}:(urn:li:dataPlatform:mlflow,${encoded},PROD)`;
}

function tagOf(version: Json | undefined): Json | undefined {
  return typeof version === 'object' && version !== null && !Array.isArray(version)
    ? (version as JsonObject)['versionTag']
    : undefined;
}

function destinations(edges: Json): readonly string[] {
  return (edges as readonly { readonly destinationUrn: string }[])
    .map(({ destinationUrn }) => destinationUrn)
    .sort();
}

/** Makes own properties, of `__proto__` too. */
function fromEntries(pairs: readonly (readonly [string, string])[]): JsonObject {
  return Object.fromEntries(pairs);
}

function idOf({ id }: JsonObject): string {
  return typeof id === 'string' ? id : '';
}
