/**
 * The real things that the live tests run against, pinned.
 */

/** A virtual environment: what is in it, and the Pythons that it works with. */
export interface Release {
  readonly name: string;
  /** As pip takes them. A changed list is installed afresh. */
  readonly requirements: readonly string[];
  /** As in `>=3.10,<3.12`. */
  readonly python: string;
}

export const MLFLOW_VERSIONS = ['1.27.0', '1.28.0', '2.22.5', '3.17.2'] as const;

export type MlflowVersion = (typeof MLFLOW_VERSIONS)[number];

/** One range for all, so that one interpreter on the machine is enough; 1.x is why it ends at 3.11. */
const PYTHON = '>=3.10,<3.12';

/** What MLflow 1.x does not pin itself and has broken it since. */
const PINS_OF_1 = [
  'SQLAlchemy<2',
  'Flask<2.3',
  'Werkzeug<2.3',
  'pandas<2',
  'numpy<2',
  'protobuf<5',
  'alembic<1.13',
  'setuptools<70',
];

const PINS: Readonly<Record<MlflowVersion, readonly string[]>> = {
  '1.27.0': PINS_OF_1,
  '1.28.0': PINS_OF_1,
  '2.22.5': ['sqlalchemy<2.1'],
  '3.17.2': [],
};

export function mlflow(version: MlflowVersion): Release {
  return {
    name: `mlflow-${version}`,
    requirements: [`mlflow==${version}`, ...PINS[version]],
    python: PYTHON,
  };
}

/** DataHub's own connector, with the MLflow that lets it open SQLite, and DataHub's classes. */
export const PEER: Release = {
  name: 'peer',
  requirements: ['acryl-datahub[mlflow]==1.7.0.17', 'mlflow==2.20.4', 'sqlalchemy<2.1'],
  python: PYTHON,
};

/** DataHub's classes and schemas with the Kafka client that DataHub reads its topics with. */
export const KAFKA_READER: Release = {
  name: 'kafka-reader',
  requirements: ['acryl-datahub[datahub-kafka]==1.7.0.17'],
  python: PYTHON,
};

/** Installs all the others. */
export const UV = 'uv==0.13.9';

export const RELEASES: readonly Release[] = [...MLFLOW_VERSIONS.map(mlflow), PEER, KAFKA_READER];
