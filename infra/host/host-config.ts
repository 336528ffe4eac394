import { parseArgs } from 'node:util';
import * as z from 'zod';
import { Config, loadConfig, parseEnvironment } from '../../lib/platform/config.ts';
import type { EngineName } from './engines/engines.ts';

const whole = (min: number, max: number) => {
  const rule = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number(rule).int(rule).min(min, rule).max(max, rule);
};

const Environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: whole(0, 65_535).default(3000),
  BROKKR_DATA_DIR: z.string().default('.brokkr'),
  /** The number of trusted proxies in front, which add X-Forwarded-For. */
  TRUST_PROXY: whole(0, 10).default(0),
  /** One or several files, in the form that kubectl takes. */
  KUBECONFIG: z.string().optional(),
  /** The AWS SDK's own settings, with which it finds other engines by itself, with its credentials. */
  AWS_ENDPOINT_URL: z.url().optional(),
  AWS_ENDPOINT_URL_DYNAMODB: z.url().optional(),
  AWS_ENDPOINT_URL_SQS: z.url().optional(),
});

/** The names of all variables that the host reads. */
export const SETTINGS: readonly string[] = [...Object.keys(Environment.shape), ...Object.keys(Config.shape)];

export interface HostConfig {
  host: string;
  port: number;
  /** Undefined if nothing is kept. */
  dataDir: string | undefined;
  trustedProxies: number;
  /** The functions' configuration. */
  config: Config;
  configuredBySdk: EngineName[];
  command: 'serve' | 'rotate-admin-pak' | 'help';
  /** Starts the try-out agent, on the cluster of this kubeconfig or on one in memory. */
  tryOut: { kubeconfig: string | undefined } | undefined;
}

export const HELP = `Usage: npm start -- [options]

Serves Brokkr's API from this one process, on embedded engines unless others are configured.

  --try               also start an agent, on a cluster in memory; with a kubeconfig, on that cluster. Logs warnings alone, unless
                      BROKKR_LOG_LEVEL says otherwise
  --kubeconfig PATH   the cluster for --try (KUBECONFIG works as well)
  --ephemeral         keep nothing: the data is lost when the server stops
  --host ADDRESS      listen here (HOST; 127.0.0.1)
  --port NUMBER       listen here (PORT; 3000; 0 for any free port)
  --rotate-admin-pak  replace the stored admin key by a new one, show it, and exit. Use it if the key is lost or if there is none.
                      Stop the server first. A key of BROKKR_ADMIN_PAK_HASH is not changed
  --help              show this

Environment:
  HOST, PORT, BROKKR_DATA_DIR (.brokkr)
  DYNAMODB_ENDPOINT, SQS_ENDPOINT   other engines that take any credentials: DynamoDB Local, ElasticMQ, LocalStack
  AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_SQS   other engines with the AWS SDK's credentials, in AWS_REGION
  TRUST_PROXY   the number of trusted proxies in front, which add X-Forwarded-For and X-Forwarded-Proto (0)
  BROKKR_CORS_ORIGINS   web pages of these origins may call the API, comma-separated; * for any (http://localhost:3001)
  BROKKR_KMS_KEY_ID   the key in AWS KMS that protects stored secrets; KMS_ENDPOINT for another address than AWS's
  BROKKR_SEALING_KEY_FILE   a file of such keys, for a server without KMS (sealing.key in the data folder, made at the first start)
  ALLOW_PRIVATE_UPSTREAMS   providers and webhooks may have private addresses, over plain HTTP too: for development alone (false)
  BROKKR_JWT_SECRET   signs access tokens; made by the first start and kept in the data folder if absent
  BROKKR_MAIL_FROM   the sender of mails by SES; without it they go into the log
  BROKKR_PUBLIC_URL   where people reach the console, for links in mails
  BROKKR_RATE_LIMITS   off: the dashboard's API may be called as often as one likes, for trying out alone (on)
  BROKKR_PREFIX, BROKKR_ADMIN_PAK_HASH, BROKKR_DEV, BROKKR_LOG_LEVEL, BROKKR_AUDIT_RETENTION_DAYS, BROKKR_EVENT_RETENTION_DAYS
`;

const OPTIONS = {
  try: { type: 'boolean' },
  kubeconfig: { type: 'string' },
  ephemeral: { type: 'boolean' },
  host: { type: 'string' },
  port: { type: 'string' },
  'rotate-admin-pak': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Reads the command line, which overrides the environment. Throws an error that names the wrong setting. */
export function loadHostConfig(
  args: readonly string[] = process.argv.slice(2),
  environment: Readonly<Record<string, string | undefined>> = process.env,
): HostConfig {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const set = parseEnvironment(Environment, {
    ...environment,
    ...(values.host !== undefined && { HOST: values.host }),
    ...(values.port !== undefined && { PORT: values.port }),
  });
  if (values.kubeconfig !== undefined && !values.try)
    throw new Error('--kubeconfig needs --try: it is the cluster of the agent that --try starts');
  return {
    host: set.HOST,
    port: set.PORT,
    dataDir: values.ephemeral ? undefined : set.BROKKR_DATA_DIR,
    trustedProxies: set.TRUST_PROXY,
    // A person looks at the terminal during --try. A log line for each poll of the agent would scroll the key away.
    config: loadConfig(values.try ? { ...environment, BROKKR_LOG_LEVEL: environment.BROKKR_LOG_LEVEL || 'warn' } : environment),
    configuredBySdk: [
      ...((set.AWS_ENDPOINT_URL_DYNAMODB ?? set.AWS_ENDPOINT_URL) ? ['dynamodb' as const] : []),
      ...((set.AWS_ENDPOINT_URL_SQS ?? set.AWS_ENDPOINT_URL) ? ['sqs' as const] : []),
    ],
    command: values.help ? 'help' : values['rotate-admin-pak'] ? 'rotate-admin-pak' : 'serve',
    tryOut: values.try ? { kubeconfig: values.kubeconfig ?? set.KUBECONFIG } : undefined,
  };
}
