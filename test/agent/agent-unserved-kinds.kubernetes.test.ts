import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { describeKubernetes } from '../kubernetes/test-cluster.ts';
import { configMap, yaml } from './agent-world.ts';
import { type AgentsOnKubernetes, agentsOnKubernetes } from './agents-on-kubernetes.ts';
import { customResourceDefinition, eventually } from './cluster-contract-objects.ts';
import { createModelControlPlane } from './model-control-plane.ts';

const GROUP = 'net.example.com';
const verbs = ['get', 'list', 'create', 'patch', 'delete'];
const rbac = { customResourceDefinitions: true, additionalRules: [{ apiGroups: [GROUP], resources: ['*'], verbs }] };

describeKubernetes('an agent whose object is of an API version that the cluster stops to serve', () => {
  let kubernetes: TestCluster;
  let namespace: string;
  let agents: AgentsOnKubernetes;

  beforeAll(async () => {
    agents = await agentsOnKubernetes(rbac);
    ({ kubernetes, namespace } = agents);
  }, 120_000);
  afterAll(() => agents.stop());

  async function stackWithRoute(kind: string) {
    const plural = `${kind.toLowerCase()}s.${GROUP}`;
    /** Serves these versions. The storage version alone may not be left out. */
    const serve = async (served: { v1beta1?: boolean; v1: boolean }) => {
      const versions = Object.entries(served).map(([name, isServed]) => ({ name, served: isServed, storage: name === 'v1' }));
      await kubernetes.kubectl(['apply', '-f', '-'], JSON.stringify(customResourceDefinition(GROUP, kind, undefined, versions)));
    };
    const isFound = () =>
      kubernetes.kubectl(['get', plural, '-n', namespace]).then(
        () => true,
        () => false,
      );
    await serve({ v1beta1: true, v1: true });
    await eventually(() => agents.cluster.findKind(`${GROUP}/v1beta1`, kind, { fresh: true }));
    const plane = createModelControlPlane();
    const stack = plane.newStack();
    const other = configMap(`other-${kind.toLowerCase()}`, {}, { namespace });
    const route = { apiVersion: `${GROUP}/v1beta1`, kind, metadata: { name: 'public', namespace }, spec: { host: 'shop.example.com' } };
    plane.post(stack, yaml(route, other));
    const agent = await agents.start(plane);
    await eventually(() => plane.events.length > 0);
    expect(plane.events[0]).toMatchObject({ status: 'SUCCESS', message: '2 created' });
    const names = () => kubernetes.kubectl(['get', plural, '-n', namespace, '-o', 'name']).then((text) => text.trim());
    return { plane, stack, other, agent, serve, names, plural, isFound };
  }

  test('finds and deletes it in the version that is served', async () => {
    const { plane, stack, other, agent, serve, names } = await stackWithRoute('Route');
    await serve({ v1beta1: false, v1: true });
    plane.post(stack, yaml(other));
    agent.wake();
    await eventually(() => plane.events.length > 1);
    expect(plane.events[1]?.status).toBe('SUCCESS');
    expect(await names()).toBe('');
  }, 60_000);

  test('applies the newer version once the definition has dropped the older one, and takes away what left', async () => {
    const { plane, stack, other, agent, serve, plural, isFound } = await stackWithRoute('Lane');
    await serve({ v1: true });
    await eventually(isFound);
    const lane = { apiVersion: `${GROUP}/v1`, kind: 'Lane', metadata: { name: 'public', namespace }, spec: { width: 'three' } };
    plane.post(stack, yaml(lane, other));
    agent.wake();
    await eventually(() => plane.events.at(-1)?.status === 'SUCCESS' && plane.events.length > 1, 30_000);
    const spec = await kubernetes.kubectl(['get', plural, 'public', '-n', namespace, '-o', 'jsonpath={.spec}']);
    expect(JSON.parse(spec)).toEqual({ width: 'three' });
  }, 60_000);

  test('tells a failure and forgets nothing when no version is served, and ends the removal when one is served again', async () => {
    const { plane, stack, agent, serve, names, isFound } = await stackWithRoute('Path');
    await serve({ v1beta1: false, v1: false });
    await eventually(async () => !(await isFound()));
    plane.withdraw(stack);
    agent.wake();
    await eventually(() => plane.events.length > 1);
    expect(plane.events[1]).toMatchObject({
      event_type: 'REMOVE',
      status: 'FAILURE',
      message: expect.stringContaining('nothing is forgotten'),
    });
    await serve({ v1beta1: false, v1: true });
    await eventually(isFound);
    expect(await names()).not.toBe('');
    await eventually(() => plane.events.at(-1)?.status === 'SUCCESS', 60_000);
    expect(await names()).toBe('');
  }, 120_000);

  test("tells a failure when somebody deleted the kind's definition, which it did not bring", async () => {
    const { plane, stack, agent, plural, isFound } = await stackWithRoute('Gate');
    await kubernetes.kubectl(['delete', 'customresourcedefinition', plural]);
    await eventually(async () => !(await isFound()));
    plane.withdraw(stack);
    agent.wake();
    await eventually(() => plane.events.length > 1);
    expect(plane.events[1]).toMatchObject({ event_type: 'REMOVE', status: 'FAILURE' });
  }, 60_000);
});
