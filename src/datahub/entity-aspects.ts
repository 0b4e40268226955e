/**
 * Which aspects DataHub takes for the entities that MLflow becomes, and what an aspect must hold: as
 * acryl-datahub 1.7.0.17 has them in its model, which a live test compares.
 */

/** What most of the entities that people look for take, whatever else they are. */
const COMMON = [
  'applications',
  'browsePaths',
  'browsePathsV2',
  'dataPlatformInstance',
  'dataProducts',
  'deprecation',
  'documentation',
  'domains',
  'forms',
  'globalTags',
  'glossaryTerms',
  'institutionalMemory',
  'ownership',
  'status',
  'structuredProperties',
  'subTypes',
  'testResults',
] as const;

/** By entity type. */
const ASPECTS: Readonly<Record<string, ReadonlySet<string>>> = {
  container: new Set([
    ...COMMON,
    'access',
    'container',
    'containerProperties',
    'editableContainerProperties',
  ]),
  dataProcessInstance: new Set([
    'container',
    'dataPlatformInstance',
    'dataProcessInstanceInput',
    'dataProcessInstanceOutput',
    'dataProcessInstanceProperties',
    'dataProcessInstanceRelationships',
    'dataProcessInstanceRunEvent',
    'mlTrainingRunProperties',
    'status',
    'subTypes',
    'testResults',
  ]),
  dataset: new Set([
    ...COMMON,
    'access',
    'aliases',
    'assetSettings',
    'container',
    'datasetDeprecation',
    'datasetProfile',
    'datasetProperties',
    'datasetUpstreamLineage',
    'datasetUsageStatistics',
    'editableDatasetProperties',
    'editableSchemaMetadata',
    'embed',
    'icebergCatalogInfo',
    'incidentsSummary',
    'logicalParent',
    'operation',
    'partitionsSummary',
    'schemaMetadata',
    'semanticModelProperties',
    'siblings',
    'storageFeatures',
    'upstreamLineage',
    'upstreamMetrics',
    'usageFeatures',
    'versionProperties',
    'viewProperties',
  ]),
  mlFeature: new Set([
    ...COMMON,
    'editableMlFeatureProperties',
    'incidentsSummary',
    'mlFeatureProperties',
  ]),
  mlModel: new Set([
    ...COMMON,
    'container',
    'cost',
    'editableMlModelProperties',
    'incidentsSummary',
    'intendedUse',
    'mlModelCaveatsAndRecommendations',
    'mlModelEthicalConsiderations',
    'mlModelEvaluationData',
    'mlModelFactorPrompts',
    'mlModelMetrics',
    'mlModelProperties',
    'mlModelQuantitativeAnalyses',
    'mlModelTrainingData',
    'sourceCode',
    'versionProperties',
  ]),
  mlModelGroup: new Set([
    ...COMMON,
    'container',
    'editableMlModelGroupProperties',
    'mlModelGroupProperties',
  ]),
  platformResource: new Set(['dataPlatformInstance', 'platformResourceInfo', 'status']),
  tag: new Set(['deprecation', 'ownership', 'status', 'tagProperties', 'testResults']),
};

/** By entity type, the aspect with an entity's properties, which each of them has exactly once. */
export const DESCRIBED_BY = {
  container: 'containerProperties',
  dataProcessInstance: 'dataProcessInstanceProperties',
  dataset: 'datasetProperties',
  mlModel: 'mlModelProperties',
  mlModelGroup: 'mlModelGroupProperties',
} as const;

/** By aspect, the fields that it can't be without. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  browsePathsV2: ['path'],
  container: ['container'],
  containerProperties: ['name'],
  dataPlatformInstance: ['platform'],
  dataProcessInstanceInput: ['inputs'],
  dataProcessInstanceOutput: ['outputs'],
  dataProcessInstanceProperties: ['name', 'created'],
  dataProcessInstanceRelationships: ['upstreamInstances'],
  dataProcessInstanceRunEvent: ['timestampMillis', 'status'],
  domains: ['domains'],
  globalTags: ['tags'],
  glossaryTermKey: ['name'],
  glossaryTerms: ['terms', 'auditStamp'],
  ownership: ['owners'],
  platformResourceInfo: ['resourceType', 'primaryKey'],
  schemaMetadata: ['schemaName', 'platform', 'version', 'hash', 'platformSchema', 'fields'],
  subTypes: ['typeNames'],
  tagKey: ['name'],
  tagProperties: ['name'],
  upstreamLineage: ['upstreams'],
  versionProperties: ['versionSet', 'version', 'sortId'],
};

/** The types of entities that are known here. */
export const KNOWN_ENTITY_TYPES: readonly string[] = Object.keys(ASPECTS);

/**
 * Whether DataHub takes the aspect for such an entity; undefined where the type is not known here.
 * Every entity takes the aspect that it is named by.
 *
 * @example
 * takesAspect('mlModel', 'globalTags'); // true
 * takesAspect('dataProcessInstance', 'globalTags'); // false
 * takesAspect('corpGroup', 'globalTags'); // undefined
 */
export function takesAspect(entityType: string, aspectName: string): boolean | undefined {
  if (aspectName === `${entityType}Key`) return true;
  return Object.hasOwn(ASPECTS, entityType) ? ASPECTS[entityType]?.has(aspectName) : undefined;
}

/**
 * The fields that DataHub's model gives no default for; none for an aspect that is not known here.
 *
 * @example
 * requiredFields('globalTags'); // ['tags']
 */
export function requiredFields(aspectName: string): readonly string[] {
  return Object.hasOwn(REQUIRED, aspectName) ? (REQUIRED[aspectName] ?? []) : [];
}
