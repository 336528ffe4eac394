import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const PREFIX = 'BROKKR__AGENT__';
const SERVICE_ACCOUNT_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

const name = z.string().trim().min(1).max(255);
const dnsLabel = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be the name of a namespace');
const seconds = (min: number, max: number) => z.coerce.number().min(min).max(max);
const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** The agent's environment: each variable's name, after the prefix, and rule. */
const Environment = z.object({
  BROKER_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).default('http://localhost:3000'),
  PAK: z.string().trim().min(1).optional(),
  PAK_FILE: z.string().optional(),
  AGENT_NAME: name.default('DEFAULT'),
  CLUSTER_NAME: name.default('DEFAULT'),
  POLLING_INTERVAL: seconds(0.1, 86_400).default(10),
  MAX_RETRIES: whole(0, 100_000).default(60),
  KUBECONFIG_PATH: z.string().optional(),
  CLUSTER: z.enum(['kubernetes', 'memory']).default('kubernetes'),
  HEALTH_PORT: whole(0, 65_535).default(8080),
  WATCH_NAMESPACE: dnsLabel.optional(),
  INVENTORY_NAMESPACE: dnsLabel.optional(),
  GENERATOR_IDS: z
    .string()
    .default('')
    .transform((text) => text.split(',').map((id) => id.trim()))
    .transform((ids) => ids.filter((id) => id !== '')),
  STATE_DIR: z.string().optional(),
  FORCE_CONFLICTS: z.stringbool().default(true),
  APPLY_PARALLELISM: whole(1, 256).default(64),
  STACK_PARALLELISM: whole(1, 64).default(4),
  WORK_ORDER_PARALLELISM: whole(0, 64).default(4),
  WORK_ORDER_LEASE_SECONDS: whole(10, 3_600).default(60),
  DRIFT_INTERVAL: seconds(0, 604_800).default(300),
  HEALTH_TIMEOUT_SECONDS: seconds(1, 86_400).default(300),
  MASS_DELETION: z.enum(['hold', 'allow']).default('hold'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

export interface AgentConfig {
  brokerUrl: string;
  pak: string;
  agentName: string;
  clusterName: string;
  pollingIntervalMs: number;
  /** How many seconds to wait for the control plane at the start. */
  maxRetries: number;
  /** One file, or several as `KUBECONFIG` lists them. */
  kubeconfigPath: string | undefined;
  cluster: 'kubernetes' | 'memory';
  healthPort: number;
  /** The namespace of objects that name none; `default` if unset. */
  watchNamespace: string | undefined;
  inventoryNamespace: string;
  generatorIds: string[];
  stateDir: string;
  forceConflicts: boolean;
  applyParallelism: number;
  stackParallelism: number;
  /** 0: it carries out no work orders. */
  workOrderParallelism: number;
  /** How long a claim holds without a renewal. After that the order of an agent that died is carried out again. */
  workOrderLeaseSeconds: number;
  /** 0: never. */
  driftIntervalMs: number;
  healthTimeoutMs: number;
  massDeletion: 'hold' | 'allow';
  logLevel: 'debug' | 'info' | 'warn' | 'error';
}

export interface EnvironmentReader {
  environment: Readonly<Record<string, string | undefined>>;
  readFile: (path: string) => string;
}

/**
 * Reads the agent's configuration, or throws an error that names every wrong variable and its rule. There is no default key: the
 * public development key is an administrator's, and an agent needs one of its own.
 */
export function loadAgentConfig({ environment, readFile }: EnvironmentReader = processEnvironment()): AgentConfig {
  const given = Object.entries(environment)
    .filter(([variable, value]) => variable.startsWith(PREFIX) && value !== undefined && value.trim() !== '')
    .map(([variable, value]) => [variable.slice(PREFIX.length), value] as const);
  const legacy = { GENERATOR_IDS: environment.BROKKR_GENERATOR_IDS, LOG_LEVEL: environment.BROKKR__LOG__LEVEL?.toLowerCase() };
  const parsed = Environment.safeParse({ ...withoutEmpty(legacy), ...Object.fromEntries(given) });
  if (!parsed.success) {
    throw new Error(
      `bad configuration: ${parsed.error.issues.map(({ path, message }) => `${PREFIX}${path.join('.')}: ${message}`).join('; ')}`,
    );
  }
  const { data } = parsed;
  return {
    brokerUrl: data.BROKER_URL.replace(/\/+$/, ''),
    pak: pakOf(data, readFile),
    agentName: data.AGENT_NAME,
    clusterName: data.CLUSTER_NAME,
    pollingIntervalMs: data.POLLING_INTERVAL * 1000,
    maxRetries: data.MAX_RETRIES,
    kubeconfigPath: data.KUBECONFIG_PATH ?? (environment.KUBECONFIG || undefined),
    cluster: data.CLUSTER,
    healthPort: data.HEALTH_PORT,
    watchNamespace: data.WATCH_NAMESPACE,
    inventoryNamespace: data.INVENTORY_NAMESPACE ?? ownNamespace(readFile) ?? data.WATCH_NAMESPACE ?? 'default',
    generatorIds: data.GENERATOR_IDS,
    stateDir: data.STATE_DIR ?? join('.brokkr', 'agent', folderName(`${data.CLUSTER_NAME}-${data.AGENT_NAME}`)),
    forceConflicts: data.FORCE_CONFLICTS,
    applyParallelism: data.APPLY_PARALLELISM,
    stackParallelism: data.STACK_PARALLELISM,
    workOrderParallelism: data.WORK_ORDER_PARALLELISM,
    workOrderLeaseSeconds: data.WORK_ORDER_LEASE_SECONDS,
    driftIntervalMs: data.DRIFT_INTERVAL * 1000,
    healthTimeoutMs: data.HEALTH_TIMEOUT_SECONDS * 1000,
    massDeletion: data.MASS_DELETION,
    logLevel: data.LOG_LEVEL,
  };
}

function pakOf({ PAK, PAK_FILE }: z.infer<typeof Environment>, readFile: (path: string) => string): string {
  if (PAK !== undefined) return PAK;
  if (PAK_FILE === undefined)
    throw new Error(`bad configuration: ${PREFIX}PAK: the agent's key is missing; give it here or in the file ${PREFIX}PAK_FILE names`);
  const pak = read(readFile, PAK_FILE)?.trim();
  if (!pak) throw new Error(`bad configuration: ${PREFIX}PAK_FILE: "${PAK_FILE}" holds no readable key`);
  return pak;
}

const ownNamespace = (readFile: (path: string) => string): string | undefined =>
  read(readFile, SERVICE_ACCOUNT_NAMESPACE)?.trim() || undefined;

function read(readFile: (path: string) => string, path: string): string | undefined {
  try {
    return readFile(path);
  } catch {
    return undefined;
  }
}

const withoutEmpty = (fields: Record<string, string | undefined>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''));

const folderName = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 100);

function processEnvironment(): EnvironmentReader {
  return { environment: process.env, readFile: (path) => readFileSync(path, 'utf8') };
}
