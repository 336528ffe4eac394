import { expect, test } from '@jest/globals';
import { loadAgentConfig } from '../../agent/config.ts';

const PAK = 'brokkr_BRabc_secret';
const load = (environment: Record<string, string>, files: Record<string, string> = {}) =>
  loadAgentConfig({
    environment: Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [
        name.includes('__') || name.startsWith('BROKKR_') ? name : `BROKKR__AGENT__${name}`,
        value,
      ]),
    ),
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error('ENOENT');
      return text;
    },
  });

test('a key is all an agent must be given', () => {
  expect(load({ PAK })).toEqual({
    brokerUrl: 'http://localhost:3000',
    pak: PAK,
    agentName: 'DEFAULT',
    clusterName: 'DEFAULT',
    pollingIntervalMs: 10_000,
    maxRetries: 60,
    kubeconfigPath: undefined,
    cluster: 'kubernetes',
    healthPort: 8080,
    watchNamespace: undefined,
    inventoryNamespace: 'default',
    generatorIds: [],
    stateDir: '.brokkr/agent/default-default',
    forceConflicts: true,
    applyParallelism: 64,
    stackParallelism: 4,
    workOrderParallelism: 4,
    workOrderLeaseSeconds: 60,
    driftIntervalMs: 300_000,
    healthTimeoutMs: 300_000,
    massDeletion: 'hold',
    logLevel: 'info',
  });
});

test('the agent takes each setting from the environment or from a file', () => {
  const config = load(
    {
      PAK_FILE: '/key',
      POLLING_INTERVAL: '0.5',
      GENERATOR_IDS: 'a, b,',
      FORCE_CONFLICTS: 'false',
      MASS_DELETION: 'allow',
      BROKER_URL: 'https://b.test/',
      HEALTH_PORT: '0',
      BROKKR__LOG__LEVEL: 'DEBUG',
    },
    { '/key': `${PAK}\n`, '/var/run/secrets/kubernetes.io/serviceaccount/namespace': 'brokkr' },
  );
  expect(config).toMatchObject({
    pak: PAK,
    pollingIntervalMs: 500,
    generatorIds: ['a', 'b'],
    forceConflicts: false,
    massDeletion: 'allow',
    brokerUrl: 'https://b.test',
    healthPort: 0,
    logLevel: 'debug',
    inventoryNamespace: 'brokkr',
  });
});

test('the kubeconfig: the one asked for, else what KUBECONFIG lists', () => {
  const reader = (environment: Record<string, string>) => ({
    environment: { BROKKR__AGENT__PAK: PAK, ...environment },
    readFile: () => '',
  });
  expect(loadAgentConfig(reader({ KUBECONFIG: '/a:/b' })).kubeconfigPath).toBe('/a:/b');
  expect(loadAgentConfig(reader({ KUBECONFIG: '/a', BROKKR__AGENT__KUBECONFIG_PATH: '/c' })).kubeconfigPath).toBe('/c');
  expect(loadAgentConfig(reader({ KUBECONFIG: '' })).kubeconfigPath).toBeUndefined();
});

test("the namespace of inventories: asked for, the pod's, the watched one", () => {
  expect(load({ PAK, INVENTORY_NAMESPACE: 'asked', WATCH_NAMESPACE: 'watched' }).inventoryNamespace).toBe('asked');
  expect(load({ PAK, WATCH_NAMESPACE: 'watched' })).toMatchObject({ inventoryNamespace: 'watched', watchNamespace: 'watched' });
});

test.each<{ name: string; environment: Record<string, string> }>([
  { name: 'BROKKR__AGENT__PAK: ', environment: {} },
  { name: 'BROKKR__AGENT__PAK_FILE: "/nowhere"', environment: { PAK_FILE: '/nowhere' } },
  { name: 'BROKKR__AGENT__BROKER_URL: ', environment: { PAK, BROKER_URL: 'ftp://x' } },
  { name: 'BROKKR__AGENT__POLLING_INTERVAL: ', environment: { PAK, POLLING_INTERVAL: 'often' } },
  { name: 'BROKKR__AGENT__POLLING_INTERVAL: ', environment: { PAK, POLLING_INTERVAL: '0' } },
  { name: 'BROKKR__AGENT__HEALTH_PORT: ', environment: { PAK, HEALTH_PORT: '8080.5' } },
  { name: 'BROKKR__AGENT__WATCH_NAMESPACE: ', environment: { PAK, WATCH_NAMESPACE: 'Not A Namespace' } },
  { name: 'BROKKR__AGENT__FORCE_CONFLICTS: ', environment: { PAK, FORCE_CONFLICTS: 'perhaps' } },
  { name: 'BROKKR__AGENT__MASS_DELETION: ', environment: { PAK, MASS_DELETION: 'yes' } },
])('the error about a wrong variable names it: $name', ({ name, environment }) => {
  expect(() => load(environment)).toThrow(name);
});

test('an error about the configuration never holds the key', () => {
  expect(() => load({ PAK, DRIFT_INTERVAL: 'x' })).toThrow(expect.objectContaining({ message: expect.not.stringContaining('secret') }));
});
