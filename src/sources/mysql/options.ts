/**
 * What can be set for a MySQL or MariaDB database, with its defaults.
 */

import { z } from 'zod';
import { serverOptions } from '../sql/server/options.js';

export const mysqlOptions = z.strictObject({
  uri: z
    .string()
    .min(1)
    .describe(
      "The database as MLflow's `--backend-store-uri` has it: " +
        '`mysql+pymysql://user:password@host:3306/mlflow?ssl_ca=ca.pem`. Of parameters count ' +
        'ssl_ca, ssl_cert, ssl_key, ssl_mode, ssl_disabled, ssl_verify_cert, ssl_verify_identity ' +
        'and unix_socket',
    ),
  ...serverOptions,
});

/** As given, before the defaults are filled in. */
export type MysqlOptions = z.input<typeof mysqlOptions>;
export type MysqlSettings = z.output<typeof mysqlOptions>;
