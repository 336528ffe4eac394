import { httpGroups } from '../../functions/registry.ts';
import type { Tenant } from '../fleet/fleet-builder.ts';
import type { Answer, Api, Call } from '../harness/client.ts';
import { type Expectation, expectations } from './authorization-expectations.ts';

/** All endpoints of the fleet and the system. The tests of these surfaces run over this list; others have tests of their own. */
export const endpoints = httpGroups
  .flatMap(({ endpoints: group }) => group)
  .filter(({ surface }) => ['fleet', 'system'].includes(surface.name));
export type AnyFleetEndpoint = (typeof endpoints)[number];

export const guarded = endpoints.flatMap((endpoint) => {
  const expectation = expectations[endpoint.id];
  return expectation === undefined || expectation === 'public' ? [] : [{ endpoint, expectation }];
});
export type Guarded = { endpoint: AnyFleetEndpoint; expectation: Expectation };

/** An endpoint's name in tests, such as `POST /api/v1/agents/{id}/labels`. */
export const titleOf = ({ endpoint }: { endpoint: AnyFleetEndpoint }): string => `${endpoint.method} ${endpoint.path}`;
/** Rows for `test.each`, whose names use `$title`. */
export const rowsOf = (list: readonly Guarded[]): { title: string; one: Guarded }[] => list.map((one) => ({ title: titleOf(one), one }));

/** The values of a path's parameters, by the text before them. */
const VALUES: readonly [prefix: RegExp, value: (tenant: Tenant) => string][] = [
  [/agents\/{id}\/labels\/{label}/, () => 'agent-label'],
  [/agents\/{id}\/annotations\/{key}/, () => 'agent-key'],
  [/stacks\/{id}\/labels\/{label}/, () => 'team-label'],
  [/stacks\/{id}\/annotations\/{key}/, () => 'team-key'],
  [/targets\/{stack_id}/, ({ stack }) => stack.id],
  [/templates\/{id}\/labels\/{label}/, () => 'template-label'],
  [/templates\/{id}\/annotations\/{key}/, () => 'template-key'],
  [/templates\/{id}/, ({ template }) => template.id],
  [/work-orders\/{id}/, ({ order }) => order.id],
  [/work-order-log\/{id}/, ({ endedOrder }) => endedOrder.id],
  [/agents\/{id}/, ({ agent }) => agent.id],
  [/agent-events\/{id}/, ({ event }) => event.id],
  [/deployment-objects\/{id}/, ({ object }) => object.id],
  [/generators\/{id}/, ({ generator }) => generator.id],
  [/stacks\/{id}/, ({ stack }) => stack.id],
  [/(deployments|events)\/{deployment_id}/, ({ stack }) => stack.id],
];

/** The endpoint's path with a tenant's own ids in it, or with `instead` for one parameter. */
export function pathOf({ path }: AnyFleetEndpoint, tenant: Tenant, instead: Readonly<Record<string, string>> = {}): string {
  return path.replaceAll(/{(\w+)}/g, (parameter, name: string, index: number) => {
    const before = path.slice(0, index + parameter.length);
    const value = VALUES.find(([prefix]) => new RegExp(`${prefix.source}$`).test(before))?.[1];
    return instead[name] ?? value?.(tenant) ?? 'x';
  });
}

export interface Sent {
  path: string;
  body: unknown;
}
export const requestOf = ({ endpoint, expectation }: Guarded, tenant: Tenant): Sent => ({
  path: `${pathOf(endpoint, tenant)}${expectation.query?.(tenant) ?? ''}`,
  body: expectation.body?.(tenant),
});

/** Sends a valid request for this tenant's things. `root` is a client of the paths below `/`. */
export const call = (guardedEndpoint: Guarded, root: Api, tenant: Tenant, how?: Call): Promise<Answer> => {
  const { path, body } = requestOf(guardedEndpoint, tenant);
  return root.send(guardedEndpoint.endpoint.method, path, body, how);
};

/** Whether a valid request removes or renames things that other tests use. Such a request gets a tenant of its own. */
export const isDestructive = ({ endpoint: { id, method } }: Guarded): boolean =>
  method === 'DELETE' || method === 'PUT' || /^(rotate|register|claim|complete|instantiate)_/.test(id);
