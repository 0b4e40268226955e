/**
 * Options of reading MLflow over REST, and what MLflow's own variables add to them.
 */

import { z } from 'zod';
import { HOUR_MS, ms, retryOptions } from '../retry-options.js';
import { workspaceOption } from '../workspace-option.js';

/** Page sizes above these are refused by MLflow. */
const LARGEST_PAGE = { experiments: 50_000, runs: 50_000, models: 1_000, versions: 200_000 };

/** JavaScript's own limit for a text is half a gigabyte; a page becomes one. */
const LARGEST_RESPONSE_BYTES = 256 * 1024 * 1024;

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

const size = (largest: number): z.ZodInt => z.int().min(1).max(largest);

const MINUTE_MS = 60_000;

export const restOptionsSchema = z.strictObject({
  uri: z
    .string()
    .min(1)
    .optional()
    .describe(
      'MLflow server: `http://host:5000`, with a path prefix or credentials where it has them. ' +
        'Otherwise the variable MLFLOW_TRACKING_URI',
    ),
  registryUri: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Server of models and versions, where it is another one. Otherwise MLFLOW_REGISTRY_URI, ' +
        'otherwise the tracking server',
    ),
  workspace: workspaceOption(
    'Otherwise the header X-MLFLOW-WORKSPACE, otherwise MLFLOW_WORKSPACE, otherwise the server chooses',
  ),
  username: z
    .string()
    .min(1)
    .optional()
    .describe(
      'User for basic authentication. Otherwise from the URI, otherwise MLFLOW_TRACKING_USERNAME',
    ),
  password: z
    .string()
    .optional()
    .describe('Password of that user. Otherwise from the URI, otherwise MLFLOW_TRACKING_PASSWORD'),
  token: z
    .string()
    .min(1)
    .regex(/^[\x21-\x7e]+$/)
    .optional()
    .describe('Bearer token, instead of user and password. Otherwise MLFLOW_TRACKING_TOKEN'),
  headers: z
    .record(z.string().regex(headerName), z.string().regex(headerValue))
    .optional()
    .describe('Further request headers, such as a sign-on proxy wants'),
  insecureTls: z
    .boolean()
    .optional()
    .describe(
      'Accept any TLS certificate. Otherwise MLFLOW_TRACKING_INSECURE_TLS, otherwise false',
    ),
  serverCertPath: z
    .string()
    .min(1)
    .optional()
    .describe(
      "PEM file, or a folder of them, with the certificates to trust instead of Node's own. " +
        'Otherwise MLFLOW_TRACKING_SERVER_CERT_PATH',
    ),
  concurrency: z
    .int()
    .min(1)
    .max(32)
    .default(2)
    .describe(
      'Requests at a time, at most; more make it faster as long as MLflow has workers for them',
    ),
  maxRequestsPerSecond: z
    .number()
    .min(0.1)
    .max(10_000)
    .optional()
    .describe(
      'Requests in a second, at most, for servers that allow only so many. Without it, or where it ' +
        'is too much, the rate halves at each answer 429 and grows back slowly',
    ),
  timeoutMs: ms(1, HOUR_MS)
    .default(2 * MINUTE_MS)
    .describe('For one request, from connecting to the end of its answer; milliseconds'),
  ...retryOptions(
    'Further tries after a connection error, a time-out, 429 or 5xx; at most 2 where the server has not answered yet',
  ),
  maxRetryAfterMs: ms(0, HOUR_MS)
    .default(2 * MINUTE_MS)
    .describe("The longest wait that a server's Retry-After is obeyed for; milliseconds"),
  maxResponseBytes: z
    .int()
    .min(1_024)
    .max(LARGEST_RESPONSE_BYTES)
    .default(64 * 1024 * 1024)
    .describe(
      'An answer past this is abandoned and asked for again with half the page; a single thing ' +
        'past it is rejected; bytes',
    ),
  experimentsPageSize: size(LARGEST_PAGE.experiments)
    .default(1_000)
    .describe('Experiments in a request'),
  runsPageSize: size(LARGEST_PAGE.runs)
    .default(500)
    .describe(
      'Runs in a request, and so in a page of the pipeline, at most: fewer where they are large',
    ),
  modelsPageSize: size(LARGEST_PAGE.models)
    .default(1_000)
    .describe('Registered models in a request'),
  versionsPageSize: size(LARGEST_PAGE.versions)
    .default(1_000)
    .describe('Model versions in a request; MLflow 1.x sends all at once'),
  experimentsPerSearch: size(1_000)
    .default(100)
    .describe('Experiments that share a search for runs, at most'),
});

/** As written in a configuration. */
export type RestOptions = z.input<typeof restOptionsSchema>;

/** With the defaults filled in. */
export type RestSettings = z.output<typeof restOptionsSchema>;
