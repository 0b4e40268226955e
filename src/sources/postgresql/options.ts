/**
 * What can be set for a PostgreSQL database, with its defaults.
 */

import { z } from 'zod';
import { serverOptions } from '../sql/server/options.js';

export const postgresqlOptions = z.strictObject({
  uri: z
    .string()
    .min(1)
    .describe(
      "The database as MLflow's `--backend-store-uri` has it: " +
        '`postgresql://user:password@host:5432/mlflow?sslmode=require`. Of parameters count ' +
        'sslmode, sslrootcert, sslcert, sslkey, host, port, application_name and options',
    ),
  ...serverOptions,
});

/** As given, before the defaults are filled in. */
export type PostgresqlOptions = z.input<typeof postgresqlOptions>;
export type PostgresqlSettings = z.output<typeof postgresqlOptions>;
