import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import * as z from 'zod';

const Route = z.union([z.string(), z.object({ path: z.string() }).transform(({ path }) => `ANY ${path}`)]);
const Functions = z.record(z.string(), z.looseObject({ events: z.array(z.looseObject({ httpApi: Route.optional() })).default([]) }));

export interface GatewayRoute {
  /** Such as `/api/v1/stacks/{id}`, or `*` for all paths without a route of their own. */
  template: string;
  function: string;
}

/** The routes in serverless.yml. */
export function gatewayRoutes(): GatewayRoute[] {
  const text = readFileSync(new URL('../../serverless.yml', import.meta.url), 'utf8');
  const functions = Functions.parse(parse(text, { logLevel: 'silent' }).functions);
  return Object.entries(functions).flatMap(([name, { events }]) =>
    events.flatMap(({ httpApi }) => (httpApi === undefined ? [] : [{ template: httpApi.replace(/^ANY /, ''), function: name }])),
  );
}

/** One digit for each segment: literal, parameter, greedy parameter. The smallest text is the most specific. */
const specificity = (template: string) =>
  template
    .split('/')
    .map((segment) => (segment.endsWith('+}') ? 2 : segment.startsWith('{') ? 1 : 0))
    .join('');
const patternOf = (template: string) =>
  new RegExp(`^${template.replaceAll(/{(\w+)}/g, '(?<$1>[^/]+)').replaceAll(/{(\w+)\+}/g, '(?<$1>[^/].*)')}$`);

/** Chooses a route as API Gateway does: the most specific one that matches the decoded path, and none for a path that ends in a slash. */
export function createChoice(routes: readonly GatewayRoute[]) {
  const sorted = routes
    .filter(({ template }) => template !== '*')
    .map((route) => ({ ...route, pattern: patternOf(route.template) }))
    .sort((a, b) => (specificity(a.template) < specificity(b.template) ? -1 : 1));
  return (path: string): { route: GatewayRoute; parameters: Record<string, string> } | undefined => {
    if (path !== '/' && path.endsWith('/')) return undefined;
    const route = sorted.find(({ pattern }) => pattern.test(path));
    return route && { route, parameters: { ...route.pattern.exec(path)?.groups } };
  };
}
