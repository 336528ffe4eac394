import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { describeKubernetes } from '../kubernetes/test-cluster.ts';
import { configMap, namespace as namespaceOf, yaml } from './agent-world.ts';
import { type AgentsOnKubernetes, agentsOnKubernetes } from './agents-on-kubernetes.ts';
import { eventually } from './cluster-contract-objects.ts';
import { createModelControlPlane } from './model-control-plane.ts';

describeKubernetes('an agent that meets objects which no stack created', () => {
  let kubernetes: TestCluster;
  let home: string;
  let agents: AgentsOnKubernetes;

  beforeAll(async () => {
    agents = await agentsOnKubernetes({ secrets: true });
    ({ kubernetes, namespace: home } = agents);
  }, 120_000);
  afterAll(() => agents.stop());

  const byHand = (...objects: unknown[]) => kubernetes.kubectl(['apply', '-f', '-'], yaml(...objects));
  const read = async (...what: string[]): Promise<Record<string, unknown> & { metadata: object }> =>
    JSON.parse(await kubernetes.kubectl(['get', ...what, '-o', 'json', '--show-managed-fields']));

  test('leaves a Namespace that was there before, with all that others have in it', async () => {
    const team = `${home}-payments`;
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'ledger', namespace: team },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'ledger-key', namespace: team }, stringData: { key: 'by-hand' } };
    await byHand(namespaceOf(team), secret, claim);
    const plane = createModelControlPlane();
    const stack = plane.newStack();
    plane.post(stack, yaml(namespaceOf(team), configMap('addon', {}, { namespace: team })));
    const agent = await agents.start(plane);
    await eventually(() => plane.events.length === 1);
    expect(plane.events[0]).toMatchObject({ status: 'SUCCESS', message: expect.stringContaining(`Namespace/${team}`) });
    expect(plane.events[0]?.details?.counts).toEqual({ adopted: 1, created: 1 });
    plane.post(stack, '', { marker: true });
    agent.wake();
    await eventually(() => plane.events.length === 2);
    expect(plane.events[1]).toMatchObject({ status: 'SUCCESS', details: { counts: { released: 1, deleted: 1 } } });
    expect(JSON.stringify((await read('namespace', team)).metadata)).not.toContain('brokkr');
    expect(await kubernetes.kubectl(['get', 'secret,persistentvolumeclaim', '-n', team, '-o', 'name'])).toBe(
      'secret/ledger-key\npersistentvolumeclaim/ledger\n',
    );
    await kubernetes.kubectl(['delete', 'namespace', team, '--wait=false']);
  }, 60_000);

  test.each([
    { who: 'kubectl apply', how: ['apply', '-f', '-'] },
    { who: 'Helm', how: ['apply', '--server-side', '--field-manager=helm', '-f', '-'] },
  ])(
    'takes a key that leaves the stack off an object which $who made, and no key that the stack never had',
    async ({ who, how }) => {
      const name = `settings-${who.split(' ')[0]?.toLowerCase()}`;
      const settings = (data: Record<string, string>) => configMap(name, data, { namespace: home });
      await kubernetes.kubectl(how, yaml(settings({ level: 'info', legacy: 'x', theirs: 'y' })));
      const plane = createModelControlPlane();
      const stack = plane.newStack();
      plane.post(stack, yaml(settings({ level: 'info', legacy: 'x' })));
      const agent = await agents.start(plane);
      await eventually(() => plane.events.length === 1);
      expect(plane.events[0]).toMatchObject({ status: 'SUCCESS', details: { counts: { adopted: 1 } } });
      plane.post(stack, yaml(settings({ level: 'info' })));
      agent.wake();
      await eventually(() => plane.events.length === 2);
      expect((await read('configmap', name, '-n', home)).data).toEqual({ level: 'info', theirs: 'y' });
    },
    60_000,
  );

  test("takes its own marks off another team's ConfigMap, and nothing else", async () => {
    const regions = (data: Record<string, string>) => configMap('regions', data, { namespace: home });
    await byHand(regions({ primary: 'eu-1', secondary: 'us-1' }));
    const plane = createModelControlPlane();
    const stack = plane.newStack();
    plane.post(stack, yaml(regions({ primary: 'ap-2' })));
    const agent = await agents.start(plane);
    await eventually(() => plane.events.length === 1);
    expect(plane.events[0]).toMatchObject({ status: 'SUCCESS', details: { counts: { adopted: 1 } } });
    plane.withdraw(stack);
    agent.wake();
    await eventually(() => plane.events.length === 2);
    const live = await read('configmap', 'regions', '-n', home);
    expect(live.data).toEqual({ primary: 'ap-2', secondary: 'us-1' });
    expect(JSON.stringify(live.metadata)).not.toContain('brokkr');
  }, 60_000);

  test('asks before it deletes a Namespace of its own in which somebody else has objects', async () => {
    const team = `${home}-own`;
    const plane = createModelControlPlane();
    const stack = plane.newStack();
    plane.post(stack, yaml(namespaceOf(team), configMap('addon', {}, { namespace: team })));
    const agent = await agents.start(plane);
    await eventually(() => plane.events.length === 1);
    await byHand(configMap('by-hand', {}, { namespace: team }));
    plane.withdraw(stack);
    agent.wake();
    await eventually(() => plane.events.length === 2);
    const { message = '' } = plane.events[1] ?? {};
    expect(plane.events[1]?.status).toBe('FAILURE');
    expect(message).toContain(`Namespace/${team} is held: it contains what no stack of this agent created: ConfigMap/${team}/by-hand.`);
    expect(await kubernetes.kubectl(['get', 'configmap', '-n', team, '-o', 'name'])).not.toContain('addon');
    plane.agentAnnotations.push({ key: 'brokkr.io/confirm-deletion', value: message?.slice(-10) ?? '' });
    await eventually(() => plane.events.at(-1)?.status === 'SUCCESS', 60_000);
    await expect(kubernetes.kubectl(['get', 'namespace', team])).rejects.toThrow('NotFound');
  }, 120_000);
});
