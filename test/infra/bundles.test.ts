import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { httpGroups, queueGroups, scheduleGroups, streamGroups } from '../../functions/registry.ts';
import { type BundledFunction, bundleFunction } from '../../infra/resources/bundle-function.ts';

const FUNCTIONS = [...httpGroups, ...queueGroups, ...scheduleGroups, ...streamGroups].map(({ name, file }) => ({ name, file }));
/** Paths that are answered without the store, even on a cold start. */
const STORELESS = [
  { name: 'health', path: '/healthz' },
  { name: 'openapi', path: '/swagger-ui' },
  { name: 'openapi', path: '/docs/openapi.json' },
];
const LIMIT_BYTES = 1_200_000;
/** They carry undici, which calls providers, and the price book. Models and routes are told with the services of inference. */
const CALLING_PROVIDERS = ['inference', 'inference-stream', 'models', 'route'];
const CALLING_LIMIT_BYTES = 2_400_000;
/** It carries the validator of JSON Schemas (ajv), and both engines. */
const TEMPLATES_LIMIT_BYTES = 1_400_000;

function limitOf(name: string): number {
  if (CALLING_PROVIDERS.includes(name)) return CALLING_LIMIT_BYTES;
  return name === 'templates' ? TEMPLATES_LIMIT_BYTES : LIMIT_BYTES;
}

describe('functions as they are bundled for AWS', () => {
  let folder: string;
  const bundled = new Map<string, BundledFunction>();
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'brokkr-bundles-'));
    for (const { name, file } of FUNCTIONS) bundled.set(name, await bundleFunction(file, folder));
    // The archive has the static pages' files in its node_modules.
    await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const packagesOf = (name: string) => bundled.get(name)?.packages ?? [];

  test.each(FUNCTIONS)('the bundle of $name has at most 1.2 MB, 1.4 MB with the validator, or 2.4 MB if it calls providers', ({ name }) => {
    expect(bundled.get(name)?.bytes).toBeLessThan(limitOf(name));
  });

  test.each(FUNCTIONS)(
    'the bundle of $name has no second HTTP client and no provider of credentials that Lambda does not use',
    ({ name }) => {
      if (!CALLING_PROVIDERS.includes(name)) expect(packagesOf(name)).not.toContain('undici');
      expect(packagesOf(name).filter((one) => /credential-provider-(sso|ini|imds|process|web)/.test(one))).toEqual([]);
    },
  );

  test.each(['health', 'openapi', 'reference'])('the bundle of %s has no client of the store or the queues', (name) => {
    expect(packagesOf(name).filter((one) => one.startsWith('@aws-sdk/'))).toEqual([]);
  });

  test('only functions that read YAML bundle its parsers, and only one bundles the metrics client', () => {
    const carrying = (wanted: string) => FUNCTIONS.filter(({ name }) => packagesOf(name).includes(wanted)).map(({ name }) => name);
    expect(carrying('prom-client')).toEqual(['metrics']);
    expect(carrying('yaml')).not.toContain('agent-sync');
  });

  test('only the function of templates bundles the validator of JSON Schemas', () => {
    expect(FUNCTIONS.filter(({ name }) => packagesOf(name).includes('ajv')).map(({ name }) => name)).toEqual(['templates']);
  });

  test.each(['deployment-objects', 'deployments-v1'])('%s starts without the YAML parsers that it bundles', (name) => {
    const parsers = (packages: readonly string[] = []) => packages.filter((one) => ['js-yaml', 'yaml'].includes(one));
    expect(parsers(bundled.get(name)?.packages)).toEqual(['js-yaml', 'yaml']);
    expect(parsers(bundled.get(name)?.startPackages)).toEqual([]);
  });

  test.each(STORELESS)('$path of $name is answered on a cold start while the store is unavailable', async ({ name, path }) => {
    const event = { version: '2.0', rawPath: path, rawQueryString: '', headers: {}, routeKey: '$default', isBase64Encoded: false };
    const http = { method: 'GET', path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' };
    const script = `const { handler } = await import(${JSON.stringify(bundled.get(name)?.file)});
      const { statusCode } = await handler(${JSON.stringify({ ...event, requestContext: { http, requestId: 'r' } })}, {});
      console.log(statusCode); process.exit(0);`;
    const env = { PATH: process.env.PATH ?? '', DYNAMODB_ENDPOINT: 'http://127.0.0.1:9', SQS_ENDPOINT: 'http://127.0.0.1:9' };
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env, timeout: 30_000 });
    expect(stdout.trim()).toBe('200');
  });
});
