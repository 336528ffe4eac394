import { httpGroups } from '../../functions/registry.ts';
import type { Tenant } from '../fleet/fleet-builder.ts';
import type { Answer, Api, Call } from '../harness/client.ts';
import { type Expectation, expectations } from './authorization-expectations.ts';

/** The endpoints there are, each with what is expected of it: what the tests of the whole surface go by. */
export const endpoints = httpGroups.flatMap(({ endpoints: group }) => group);
export type AnyFleetEndpoint = (typeof endpoints)[number];

export const guarded = endpoints.flatMap((endpoint) => {
  const expectation = expectations[endpoint.id];
  return expectation === undefined || expectation === 'public' ? [] : [{ endpoint, expectation }];
});
export type Guarded = { endpoint: AnyFleetEndpoint; expectation: Expectation };

/** `POST /api/v1/agents/{id}/labels`, for test names. */
export const titleOf = ({ endpoint }: { endpoint: AnyFleetEndpoint }): string => `${endpoint.method} ${endpoint.path}`;

/** What a path's parameters stand for, by the text before them. */
const VALUES: readonly [prefix: RegExp, value: (tenant: Tenant) => string][] = [
  [/agents\/{id}\/labels\/{label}/, () => 'agent-label'],
  [/agents\/{id}\/annotations\/{key}/, () => 'agent-key'],
  [/stacks\/{id}\/labels\/{label}/, () => 'team-label'],
  [/stacks\/{id}\/annotations\/{key}/, () => 'team-key'],
  [/targets\/{stack_id}/, ({ stack }) => stack.id],
  [/agents\/{id}/, ({ agent }) => agent.id],
  [/agent-events\/{id}/, ({ event }) => event.id],
  [/deployment-objects\/{id}/, ({ object }) => object.id],
  [/generators\/{id}/, ({ generator }) => generator.id],
  [/stacks\/{id}/, ({ stack }) => stack.id],
  [/(deployments|events)\/{deployment_id}/, ({ stack }) => stack.id],
];

/** The endpoint's path with a tenant's own ids in it, or with `instead` for one parameter. */
export function pathOf({ path }: AnyFleetEndpoint, tenant: Tenant, instead: Readonly<Record<string, string>> = {}): string {
  return path.replaceAll(/{(\w+)}/g, (parameter, name: string, at: number) => {
    const before = path.slice(0, at + parameter.length);
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

/** Sends a right request for this tenant's things. `root` is a client of the paths below `/`. */
export const call = (guardedEndpoint: Guarded, root: Api, tenant: Tenant, how?: Call): Promise<Answer> => {
  const { path, body } = requestOf(guardedEndpoint, tenant);
  return root.send(guardedEndpoint.endpoint.method, path, body, how);
};

/** Whether a right request takes away or renames what others go by: such a one gets a tenant of its own. */
export const isDestructive = ({ endpoint: { id, method } }: Guarded): boolean =>
  method === 'DELETE' || method === 'PUT' || /^(rotate|register)_/.test(id);
