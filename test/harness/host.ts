import { type Host, type HostOptions, startHost } from '../../infra/host/start-host.ts';
import { loadConfig } from '../../lib/platform/config.ts';
import { createLog } from '../../lib/platform/log.ts';
import { PATIENT } from '../database/test-dynamodb.ts';
import { type Api, api } from './client.ts';

export interface TestHost extends Host {
  /** The admin key that was minted on the first start; empty on a later start with the same data folder. */
  adminPak: string;
  /** A client with the admin key, below `/api/v1`. */
  admin: Api;
  /** A client without a key, below `/api/v1`; `anonymous.as(pak)` gives it one. */
  anonymous: Api;
  /** A client without a key, below `/`. */
  root: Api;
  /** The log of the host, one JSON text for each line. */
  logged: string[];
}

/**
 * A host on a free port, on embedded engines that keep nothing. Of the environment it sees only `DYNAMODB_ENDPOINT` and `SQS_ENDPOINT`,
 * which put it on other engines under a prefix of its own. Give `config` only the variables that matter to the test.
 *
 *   const host = await startTestHost();
 *   const { body: stack } = await host.admin.post('/stacks', { name: 'web', generator_id });
 *   await host.stop();
 */
export async function startTestHost(
  overrides: Omit<Partial<HostOptions>, 'config'> & { config?: Record<string, string> } = {},
): Promise<TestHost> {
  const { config: variables = {}, ...options } = overrides;
  const logged: string[] = [];
  const log = createLog({ level: 'info', write: (line) => logged.push(line), ...(options.clock && { clock: options.clock }) });
  const { DYNAMODB_ENDPOINT, SQS_ENDPOINT } = process.env;
  const prefix = DYNAMODB_ENDPOINT || SQS_ENDPOINT ? `test-${process.pid}-${Date.now()}` : 'brokkr';
  // Tests make many accounts a minute from one address.
  const config = loadConfig({ BROKKR_PREFIX: prefix, DYNAMODB_ENDPOINT, SQS_ENDPOINT, BROKKR_RATE_LIMITS: 'off', ...variables });
  const host = await startHost({ log, storeTimeouts: PATIENT, ...options, config });
  const adminPak = host.adminPak ?? '';
  const anonymous = api(host.url);
  return { ...host, adminPak, admin: api(host.url, adminPak), anonymous, root: api(host.url, undefined, ''), logged };
}
