import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Cluster } from '../../agent/cluster/cluster.ts';
import { createKubernetesCluster, type KubernetesClusterOptions } from '../../agent/cluster/kubernetes/kubernetes-cluster.ts';
import { createLog } from '../../lib/platform/log.ts';
import { failureOf } from './cluster-failure.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
const raw =
  (status: number, body: string): Answer =>
  (_request, response) =>
    void response.writeHead(status).end(body);
const status = (code: number, reason: string, message: string, details = {}) => ({
  kind: 'Status',
  status: 'Failure',
  code,
  reason,
  message,
  details,
});

const resource = (name: string, kind: string) => ({
  resource: name,
  responseKind: { kind },
  scope: 'Namespaced',
  verbs: ['get', 'list', 'patch', 'delete'],
});
const groups = (name: string, resources: unknown[], freshness = 'Current') => ({
  kind: 'APIGroupDiscoveryList',
  items: [{ metadata: { name }, versions: [{ version: 'v1', freshness, resources }] }],
});
const core = json(200, groups('', [resource('configmaps', 'ConfigMap')]));
const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'one' };
const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace: 'shop', uid: 'u', resourceVersion: '1' } };
const onePath = '/api/v1/namespaces/shop/configmaps/one';

describe('the Kubernetes API, answering badly', () => {
  let server: Server;
  let folder: string;
  let answers: Record<string, Answer | Answer[]>;
  let asked: string[];
  const clusters: Cluster[] = [];

  beforeEach(async () => {
    answers = { '/api': core, '/apis': json(200, groups('apps', [])) };
    asked = [];
    server = createServer((request, response) => {
      const path = (request.url ?? '').replace(/\?.*/, '');
      asked.push(`${request.method} ${path}`);
      const answer = answers[path];
      const next = Array.isArray(answer) ? (answer.length > 1 ? answer.shift() : answer[0]) : answer;
      (next ?? json(404, status(404, 'NotFound', 'configmaps "one" not found', { name: 'one' })))(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    folder = await mkdtemp(join(tmpdir(), 'brokkr-agent-'));
  });
  afterEach(async () => {
    for (const cluster of clusters.splice(0)) await cluster.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  async function connect(options: KubernetesClusterOptions = {}, user: unknown = { token: 'one' }): Promise<Cluster> {
    const path = join(folder, 'kubeconfig');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const kubeconfig = {
      clusters: [{ name: 'c', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    await writeFile(path, JSON.stringify(kubeconfig));
    const cluster = await createKubernetesCluster({ kubeconfigPath: path, ...options });
    clusters.push(cluster);
    return cluster;
  }

  test.each<[string, Answer, object]>([
    [
      'too many requests',
      json(429, status(429, 'TooManyRequests', 'slow down'), { 'retry-after': '7' }),
      { status: 429, reason: 'TooManyRequests', retryAfterMs: 7000, retryable: true },
    ],
    [
      'a server that is starting',
      json(503, status(503, 'ServiceUnavailable', 'not yet', { retryAfterSeconds: 2 })),
      { status: 503, retryAfterMs: 2000, retryable: true },
    ],
    [
      'an error of the server',
      json(500, status(500, 'InternalError', 'etcd is gone')),
      { status: 500, reason: 'InternalError', retryable: true },
    ],
    ['a gateway that talks HTML', raw(504, '<html>Gateway Timeout</html>'), { status: 504, reason: 'Unknown', retryable: true }],
    ['a success that is not JSON', raw(200, '<html>Please sign in</html>'), { status: 502, reason: 'BadAnswer', retryable: true }],
    ['a truncated success', raw(200, '{"kind":"ConfigMap","meta'), { status: 502, reason: 'BadAnswer', retryable: true }],
    ['another object', json(200, { ...object, metadata: { ...object.metadata, name: 'two' } }), { status: 502, reason: 'BadAnswer' }],
    ['a list in place of an object', json(200, { kind: 'ConfigMapList', items: [] }), { status: 502, reason: 'BadAnswer' }],
    ['a connection that is cut', (request) => void request.socket.destroy(), { status: 0, retryable: true }],
    ['a refusal', json(403, status(403, 'Forbidden', 'no')), { status: 403, reason: 'Forbidden', retryable: false }],
  ])('%s is an error of its kind', async (_what, answer, expected) => {
    answers[onePath] = answer;
    expect(await failureOf((await connect()).find(ref))).toMatchObject(expected);
  });

  test('a 404 that is not about the object does not mean that the object is gone', async () => {
    answers[onePath] = raw(404, '404 page not found');
    const cluster = await connect();
    expect(await failureOf(cluster.find(ref))).toMatchObject({ status: 503, retryable: true });
    expect(await failureOf(cluster.delete(ref))).toMatchObject({ status: 503, retryable: true });
    answers[onePath] = json(404, status(404, 'NotFound', 'the server could not find the requested resource'));
    expect(await failureOf(cluster.delete(ref))).toMatchObject({ status: 503, retryable: true });
  });

  test('a kind whose own server is away is not said to be gone', async () => {
    answers['/apis'] = json(200, groups('metrics.brokkr.test', [], 'Stale'));
    const gone = { apiVersion: 'metrics.brokkr.test/v1', kind: 'Gauge', namespace: 'shop', name: 'one' };
    const cluster = await connect();
    expect(await failureOf(cluster.delete(gone))).toMatchObject({ status: 503, reason: 'ServiceUnavailable', retryable: true });
    expect(await failureOf(cluster.findKind(gone.apiVersion, gone.kind))).toMatchObject({ status: 503 });
  });

  test('the contents of a namespace are unknown while the server of some kinds is away', async () => {
    answers['/apis'] = json(200, groups('metrics.brokkr.test', [], 'Stale'));
    answers['/api/v1/namespaces/shop/configmaps'] = json(200, { kind: 'ConfigMapList', metadata: {}, items: [] });
    const cluster = await connect();
    expect(await failureOf(cluster.listMetadata({ namespace: 'shop' }))).toMatchObject({ status: 503, retryable: true });
  });

  test('neither an error nor what a log would show of it has a value of the object that was refused', async () => {
    const message = 'admission webhook "x" denied the request: data.password hunter2-secret is too short';
    answers[onePath] = json(400, status(400, 'BadRequest', message, { name: 'one' }));
    const lines: string[] = [];
    const log = createLog({ write: (line) => lines.push(line) });
    const manifest = { ...object, metadata: { name: 'one', namespace: 'shop' }, data: { password: 'hunter2-secret' } };
    const error = await failureOf((await connect()).apply(manifest, { fieldManager: 'test', force: true }));
    log.warn('refused', { error });
    expect(error.message).toBe('admission webhook "x" denied the request: data.password … is too short');
    expect(lines.join()).not.toContain('hunter2');
  });

  test('a server that does not answer in time is left', async () => {
    answers[onePath] = () => {};
    const error = await failureOf((await connect({ requestTimeoutMs: 50 })).find(ref));
    expect(error).toMatchObject({ status: 0, reason: 'Timeout', retryable: true });
    expect(error.message).toContain('no answer within 0.05 s');
  });

  test('a caller who gives up while the server thinks gets its own reason', async () => {
    const controller = new AbortController();
    const reason = new Error('stopping');
    answers[onePath] = () => controller.abort(reason);
    await expect((await connect()).find(ref, controller.signal)).rejects.toBe(reason);
  });

  test('a server that cannot be reached is an error without an answer', async () => {
    const cluster = await connect();
    await new Promise((resolve) => server.close(resolve));
    expect(await failureOf(cluster.version())).toMatchObject({ status: 0, reason: 'ECONNREFUSED', retryable: true });
    server = createServer().listen(0, '127.0.0.1');
  });

  test('a list that outlives its snapshot begins again', async () => {
    const page = (name: string, next: string): Answer =>
      json(200, { kind: 'ConfigMapList', metadata: { continue: next }, items: [{ metadata: { ...object.metadata, name } }] });
    const path = '/api/v1/namespaces/shop/configmaps';
    answers[path] = [page('a', 'x'), json(410, status(410, 'Expired', 'too old')), page('a', 'y'), page('b', '')];
    const found = await (await connect()).list(ref, { namespace: 'shop' });
    expect(found.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
  });

  test('a list that expires again and again fails in the end', async () => {
    answers['/api/v1/configmaps'] = json(410, status(410, 'Expired', 'too old'));
    expect(await failureOf((await connect()).list(ref))).toMatchObject({ status: 410 });
    expect(asked.filter((line) => line.endsWith('/configmaps'))).toHaveLength(4);
  });

  test('many look for kinds at once, and discovery is read once', async () => {
    answers[onePath] = json(200, object);
    const cluster = await connect();
    await Promise.all(Array.from({ length: 20 }, () => cluster.find(ref)));
    expect(asked.filter((line) => line === 'GET /apis')).toHaveLength(1);
  });

  test('a stack full of typos does not ask for each of them', async () => {
    let nowMs = 0;
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} };
    const cluster = await connect({ clock });
    for (let index = 0; index < 10; index += 1) expect(await cluster.findKind('v1', `Typo${index}`)).toBeUndefined();
    expect(asked.filter((line) => line === 'GET /apis')).toHaveLength(1);
    nowMs += 1000;
    answers['/api'] = json(200, groups('', [resource('configmaps', 'ConfigMap'), resource('typos', 'Typo1')]));
    expect(await cluster.findKind('v1', 'Typo1')).toMatchObject({ plural: 'typos' });
    expect(asked.filter((line) => line === 'GET /apis')).toHaveLength(2);
  });

  test('a server without aggregated discovery is told to be too old', async () => {
    answers['/api'] = json(200, { kind: 'APIVersions', versions: ['v1'] });
    expect((await failureOf((await connect()).find(ref))).message).toContain('1.27');
  });

  test('a token in a file is read again when the server refuses it', async () => {
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'first\n');
    let accepted = 'first';
    const guarded: Answer = (request, response) =>
      (request.headers.authorization === `Bearer ${accepted}` ? json(200, object) : json(401, status(401, 'Unauthorized', 'Unauthorized')))(
        request,
        response,
      );
    answers[onePath] = guarded;
    const cluster = await connect({}, { tokenFile: 'token' });
    expect(await cluster.find(ref)).toBeDefined();
    await writeFile(tokenFile, 'second');
    accepted = 'second';
    expect(await Promise.all([cluster.find(ref), cluster.find(ref)])).toHaveLength(2);
  });

  test('a credential command that prints nonsense is an error without what it printed', async () => {
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-e', 'console.log("the-secret")'],
      interactiveMode: 'Never',
    };
    const error = await failureOf(connect({}, { exec }));
    expect(error).toMatchObject({ status: 0, reason: 'NoCredentials', retryable: true });
    expect(error.message).not.toContain('the-secret');
  });

  test('a missing kubeconfig is told', async () => {
    const error = await failureOf(createKubernetesCluster({ kubeconfigPath: join(folder, 'nowhere') }));
    expect(error.message).toMatch(/no access to the cluster: ENOENT.*nowhere/);
  });
});
