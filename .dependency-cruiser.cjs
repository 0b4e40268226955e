/** Dependencies point one way: core < domain (mlflow, datahub) < state < stream < components < config < cli < entry. */
const layers = [
  ['core', []],
  ['mlflow', ['core']],
  ['datahub', ['core']],
  ['state', ['core', 'mlflow', 'datahub']],
  ['stream', ['core', 'mlflow', 'datahub', 'state']],
  ['sources', ['core', 'mlflow', 'datahub', 'stream']],
  ['operators', ['core', 'mlflow', 'datahub', 'stream']],
  ['sinks', ['core', 'datahub', 'stream']],
  ['testing', ['core', 'mlflow', 'datahub', 'stream']],
  ['config', ['core', 'mlflow', 'datahub', 'state', 'stream', 'sources', 'operators', 'sinks']],
  [
    'cli',
    ['core', 'mlflow', 'datahub', 'state', 'stream', 'sources', 'operators', 'sinks', 'config'],
  ],
];

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...layers.map(([folder, below]) => ({
      name: `${folder}-points-down`,
      comment: `src/${folder} may import only from itself${below.map((name) => ` and src/${name}`).join('')}`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: '^src/', pathNot: [folder, ...below].map((name) => `^src/${name}/`) },
    })),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
};
