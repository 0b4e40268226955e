/**
 * Where datasets are hosted: from MLflow's source types to DataHub's platforms.
 */

/** Source types that are named like the platform. Others need `sourceMappingToPlatform`. */
const PLATFORMS: ReadonlySet<string> = new Set([
  'bigquery',
  'cassandra',
  'databricks',
  'dbt',
  'delta-lake',
  'feast',
  'file',
  'gcs',
  'hdfs',
  'hive',
  'mssql',
  'mysql',
  'oracle',
  'postgres',
  'redshift',
  's3',
  'sagemaker',
  'snowflake',
  'streamlit',
]);

/** Source types of datasets that are nowhere but with MLflow. */
export function isLocal(sourceType: string): boolean {
  return sourceType === 'local' || sourceType === 'code';
}

/**
 * @param overrides - by source type in any case; they go before what is known here
 *
 * @example
 * const platformOf = platformLookup({ delta_table: 'delta-lake' });
 * platformOf('S3'); // 's3'
 * platformOf('gs'); // 'gcs'
 * platformOf('delta_table'); // 'delta-lake'
 * platformOf('http'); // undefined
 */
export function platformLookup(
  overrides: Readonly<Record<string, string>>,
): (sourceType: string) => string | undefined {
  const own = new Map(
    Object.entries(overrides).map(([sourceType, platform]) => [sourceType.toLowerCase(), platform]),
  );
  return (sourceType) => {
    const name = sourceType.toLowerCase();
    const platform = own.get(name);
    if (platform !== undefined) return platform;
    if (name === 'gs') return 'gcs';
    return PLATFORMS.has(name) ? name : undefined;
  };
}
