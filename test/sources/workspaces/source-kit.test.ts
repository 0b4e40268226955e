import { restSource, sqliteSource } from '../../../src/index.js';
import { sampleContent, startMlflowServer, workspacesOf } from '../../support/mlflow-server.js';
import { describeSource } from '../../support/source-kit.js';
import { withCopyIn } from './support.js';

const SMALL = { experimentsPageSize: 2, runsPageSize: 3, modelsPageSize: 2, versionsPageSize: 2 };

/** Ids and names are the same in each, as far as it goes. */
function contentOf(experiments: number) {
  const content = sampleContent({ experiments, runsPerExperiment: 7, models: 3 });
  const running = content.runs[4];
  if (running !== undefined) running.info.status = 'RUNNING';
  return content;
}

for (const workspace of ['*', 'team-a', 'default']) {
  describeSource(`MLflow 3.17.2 over REST, workspace ${workspace},`, {
    open: async () => {
      const server = await startMlflowServer({
        flavour: '3.17.2',
        workspaces: workspacesOf({
          default: contentOf(3),
          'team-a': contentOf(4),
          'team-b': contentOf(2),
        }),
      });
      return {
        source: restSource({ uri: server.uri, workspace, ...SMALL }),
        dispose: () => server.close(),
      };
    },
    remembers: true,
  });

  describeSource(`the SQLite database of MLflow 3.17.2, workspace ${workspace},`, {
    open: () => ({ source: sqliteSource({ path: withCopyIn('team-a'), workspace, ...SMALL }) }),
    remembers: true,
  });
}
