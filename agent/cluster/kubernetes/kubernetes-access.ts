import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { delimiter, dirname, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import type { Clock } from '../../../lib/platform/clock.ts';
import { ClusterError } from '../cluster.ts';
import { isObject } from '../json-object.ts';

/** The API server's address, how it is recognised, and as whom it is asked. */
export interface KubernetesAccess {
  server: string;
  proxyUrl: string | undefined;
  tls: {
    rejectUnauthorized: boolean;
    ca?: string | Buffer;
    cert?: string | Buffer;
    key?: string | Buffer;
    servername?: string;
  };
  /** The credentials: never to be logged. */
  headers: Record<string, string>;
  /** Differs if a connection made before must not be used any longer. */
  connectionKey: string;
}

export interface KubernetesAccessSource {
  /** As of half a minute ago at most: tokens in files change, and credentials from a command end. */
  current(): Promise<KubernetesAccess>;
  /** From scratch: files are read and commands are run again. For when the server no longer accepts what it had accepted. */
  refresh(): Promise<KubernetesAccess>;
}

export interface KubernetesAccessOptions {
  /** One file, or several as `KUBECONFIG` lists them. */
  kubeconfigPath?: string | undefined;
  inCluster?: 'auto' | boolean | undefined;
  /** Stands before the folder in which a pod finds its ServiceAccount. */
  serviceAccountRoot?: string | undefined;
  clock: Clock;
}

const FRESH_MS = 30_000;
const REFRESH_PAUSE_MS = 5_000;

export function kubernetesAccess(options: KubernetesAccessOptions): KubernetesAccessSource {
  const { clock } = options;
  let config: KubeConfig | undefined;
  let known: { access: Promise<KubernetesAccess>; readMs: number } | undefined;
  let refreshedMs = Number.NEGATIVE_INFINITY;

  const read = (): Promise<KubernetesAccess> => {
    const access = (async () => {
      try {
        config ??= loadKubeconfig(options);
        return await accessOf(config);
      } catch (error) {
        throw noCredentials(error);
      }
    })();
    const entry = { access, readMs: clock.monotonicMs() };
    known = entry;
    access.catch(() => {
      if (known === entry) known = undefined;
    });
    return access;
  };
  return {
    current: () => (known && clock.monotonicMs() - known.readMs < FRESH_MS ? known.access : read()),
    refresh: () => {
      // Many calls are refused together; one of them reads anew for all.
      if (known && clock.monotonicMs() - refreshedMs < REFRESH_PAUSE_MS) return known.access;
      refreshedMs = clock.monotonicMs();
      config = undefined;
      return read();
    },
  };
}

function loadKubeconfig({ kubeconfigPath, inCluster = 'auto', serviceAccountRoot = '' }: KubernetesAccessOptions): KubeConfig {
  if (kubeconfigPath !== undefined) return loadFiles(kubeconfigPath.split(delimiter).filter((path) => path !== ''));
  const config = new KubeConfig();
  if (inCluster === true) config.loadFromCluster(serviceAccountRoot);
  else config.loadFromDefault();
  // The library assumes this if it finds nothing.
  if (config.currentContext === 'loaded-context') throw new Error('neither a kubeconfig nor a ServiceAccount was found');
  return config;
}

/** As kubectl does: of several files those that are missing don't count, and what is said first counts. */
function loadFiles(paths: readonly string[]): KubeConfig {
  const there = paths.filter((path) => existsSync(path));
  const configs = (there.length > 0 ? there : paths.slice(0, 1)).map(loadFile);
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: firstOfEachName(configs.flatMap(({ clusters }) => clusters)),
    users: firstOfEachName(configs.flatMap(({ users }) => users)),
    contexts: firstOfEachName(configs.flatMap(({ contexts }) => contexts)),
    currentContext: configs.find(({ currentContext }) => currentContext)?.currentContext,
  });
  return config;
}

const firstOfEachName = <T extends { name: string }>(all: readonly T[]): T[] =>
  all.filter(({ name }, at) => all.findIndex((other) => other.name === name) === at);

function loadFile(path: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(path);
  readTokenFiles(config, path);
  return config;
}

const TokenFiles = z.looseObject({
  users: z.array(z.looseObject({ name: z.string(), user: z.looseObject({ tokenFile: z.string().optional() }).nullish() })).catch([]),
});

/** `tokenFile` is part of the kubeconfig format, but the library knows such files only of pods. */
function readTokenFiles(config: KubeConfig, kubeconfigPath: string): void {
  const { users } = TokenFiles.parse(parseYaml(readFileSync(kubeconfigPath, 'utf8')));
  const files = new Map(
    users.flatMap(({ name, user }) => (user?.tokenFile ? [[name, resolve(dirname(kubeconfigPath), user.tokenFile)]] : [])),
  );
  config.users = config.users.map((user) => {
    const tokenFile = files.get(user.name);
    return tokenFile === undefined ? user : { ...user, authProvider: { name: 'tokenFile', config: { tokenFile } } };
  });
}

async function accessOf(config: KubeConfig): Promise<KubernetesAccess> {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig has no current context with a cluster');
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const tls = {
    // Said outright: left open, the environment could turn the verification off.
    rejectUnauthorized: options.rejectUnauthorized !== false,
    ...pem('ca', options.ca),
    ...pem('cert', options.cert),
    ...pem('key', options.key),
    ...(cluster.tlsServerName !== undefined && { servername: cluster.tlsServerName }),
  };
  const basic = options.auth ? { Authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` } : {};
  const headers = { ...basic, ...textHeaders(options.headers) };
  const connection = [cluster.server, cluster.proxyUrl ?? '', ...Object.entries(tls).flatMap(([name, value]) => [name, String(value)])];
  return {
    server: cluster.server,
    proxyUrl: cluster.proxyUrl,
    tls,
    headers,
    connectionKey: createHash('sha256').update(JSON.stringify(connection)).digest('hex'),
  };
}

const pem = <N extends string>(name: N, value: unknown): Partial<Record<N, string | Buffer>> =>
  typeof value === 'string' || Buffer.isBuffer(value) ? ({ [name]: value } as Record<N, string | Buffer>) : {};

/** A token read from a file ends in a newline, which no header may. */
const textHeaders = (headers: RequestOptions['headers']): Record<string, string> =>
  Object.fromEntries(Object.entries(headers ?? {}).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value.trim()]] : [])));

/** A credential command's output may be the credential, and a parser quotes what it can't read. */
function noCredentials(error: unknown): ClusterError {
  const { name, message } = isObject(error) ? error : { name: '', message: String(error) };
  const why = name === 'SyntaxError' ? 'the credential command did not print JSON' : String(message).slice(0, 500);
  return new ClusterError(`no access to the cluster: ${why}`, { status: 0, reason: 'NoCredentials' });
}
