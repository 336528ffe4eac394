import { randomUUID } from 'node:crypto';
import type { Answer, Api } from '../harness/client.ts';
import type { TestHost } from '../harness/host.ts';
import { idsIn, type Marks } from './recorded-example.ts';

/** A request as it was recorded, with its placeholders. */
export interface Step {
  as: string;
  method: string;
  /** Below `/api/v1`. */
  path: string;
  body?: unknown;
}

export interface World extends Marks {
  /** Makes the things with these names, and the things that they need, unless they exist. */
  need(names: readonly string[]): Promise<void>;
  /** Sends a step's request, after making everything that it names. */
  take(step: Step): Promise<Answer>;
}

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n';
const YAML: Record<string, string> = {
  doA: `${CONFIG_MAP}# last\n`,
  doA1: CONFIG_MAP,
  doA2: `${CONFIG_MAP}---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: two\n`,
  doA3: `# c\n${CONFIG_MAP}data: {k: "ü"}\n`,
  doB: CONFIG_MAP,
  doC: CONFIG_MAP,
};
const OWNER: Record<string, string> = { stackB: 'genB' };
const CLUSTER: Record<string, string> = { agentC: 'ca', agentZ: 'cz' };
const NAME: Record<string, string> = { agentZ: 'aa' };
const GENERATORS: Record<string, readonly string[]> = { agentA: ['genA'] };
const DESCRIPTION: Record<string, string> = { genA: 'first', genD: 'd', stackA: 'one' };

const TEMPLATE = {
  template_content:
    'name: {{ name }}\nnamespace: {{ namespace | default(value="default") }}\nreplicas: {{ replicas | default(value=1) }}\nport: {{ port | default(value=8080) }}\nimage: {{ image }}\n',
  parameters_schema: JSON.stringify({
    type: 'object',
    required: ['name', 'image'],
    properties: {
      name: { type: 'string' },
      image: { type: 'string' },
      namespace: { type: 'string' },
      replicas: { type: 'integer', minimum: 1, maximum: 9 },
      port: { type: 'integer', default: 99 },
    },
  }),
};
/** Templates by name: who makes it, and what. A version is made after the ones before it. */
const TEMPLATES: Record<string, { as: string; body: object; after?: string; update?: string }> = {
  tplSys: { as: 'admin', body: { name: 'ts-<run>', description: 'sample', ...TEMPLATE } },
  tplOwn: { as: 'genA', body: { name: 'ta-<run>', description: null, ...TEMPLATE } },
  tplOwn2: {
    as: 'genA',
    after: 'tplOwn',
    body: { name: 'ta-<run>', description: 'sample', ...TEMPLATE, template_content: `${TEMPLATE.template_content}# two\n` },
  },
  tplOwn3: {
    as: 'genA',
    after: 'tplOwn2',
    update: 'tplOwn',
    body: { ...TEMPLATE, template_content: `${TEMPLATE.template_content}# new\n` },
  },
  tplB: { as: 'genB', body: { name: 'ta-<run>', description: 'sample', ...TEMPLATE } },
  tplN: { as: 'admin', body: { name: 'tn-<run>', description: null, template_content: 'a: 1', parameters_schema: '{}' } },
};
const job = { work_type: 'wt-<run>', yaml_content: 'kind: Job\n' };
const forAgent = (name: string) => ({ targeting: { agent_ids: [`<id ${name}>`] } });
const ORDERS: Record<string, object> = {
  wo1: { ...job, ...forAgent('agentA') },
  wo2: { ...job, target_agent_ids: ['<id agentA>'], max_retries: 1, backoff_seconds: 1, claim_timeout_seconds: 30 },
  wo3: { ...job, work_type: 'other-<run>', max_retries: 0, ...forAgent('agentA') },
  wo4: { ...job, ...forAgent('agentA') },
  wo5: { ...job, claim_timeout_seconds: 1, ...forAgent('agentB') },
  wo6: { ...job, ...forAgent('agentA') },
  woBad: { ...job, yaml_content: 'a: [', ...forAgent('agentB') },
};

/** Creates the world of one example. Only the things that the example names are made, by the kind and the last letter of the name. */
export function createWorld(host: TestHost): World {
  const run = randomUUID().slice(0, 8);
  const ids = new Map<string, string>([['systemGen', host.app.services.installation.system_generator_id]]);
  const keys = new Map<string, string>();
  const letter = (name: string) => name.replace(/^(gen|agent|stack)/, '').toLowerCase();

  async function make(name: string): Promise<void> {
    if (ids.has(name)) return;
    const { id, pak } = await created(name);
    ids.set(name, id);
    if (pak !== undefined) keys.set(name, pak);
  }

  async function created(name: string): Promise<{ id: string; pak?: string }> {
    const description = DESCRIPTION[name] ?? null;
    if (name.startsWith('gen')) {
      const { generator, pak } = await ok(host.admin.post('/generators', { name: `g${letter(name)}-${run}`, description }));
      return { id: generator.id, pak };
    }
    if (name.startsWith('agent')) {
      const generators = GENERATORS[name] ?? [];
      await need(generators);
      const cluster = CLUSTER[name] ?? `c${letter(name)}`;
      const { agent, initial_pak } = await ok(
        host.admin.post('/agents', {
          name: `${NAME[name] ?? `a${letter(name)}`}-${run}`,
          cluster_name: `${cluster}-${run}`,
          generator_ids: generators.map(idOf),
        }),
      );
      return { id: agent.id, pak: initial_pak };
    }
    if (name.startsWith('stack')) {
      const owner = OWNER[name] ?? 'genA';
      await need([owner]);
      return ok(host.admin.post('/stacks', { name: `s${letter(name)}-${run}`, description, generator_id: idOf(owner) }));
    }
    if (name.startsWith('do')) return createdDeploymentObject(name);
    if (name === 'eventA') return reportedEvent();
    const template = TEMPLATES[name];
    if (template) {
      const { as, body, after, update } = template;
      if (after) await need([after]);
      const path = update === undefined ? '/templates' : `/templates/<id ${update}>`;
      return ok(take({ as, method: update === undefined ? 'POST' : 'PUT', path, body }));
    }
    if (name.startsWith('wo')) return ok(take({ as: 'admin', method: 'POST', path: '/work-orders', body: ORDERS[name] }));
    // Any other name stands for an id that nothing has.
    return { id: randomUUID() };
  }

  async function reportedEvent(): Promise<{ id: string }> {
    await need(['agentA', 'doC']);
    const report = { agent_id: idOf('agentA'), deployment_object_id: idOf('doC'), event_type: 'DEPLOY', status: 'SUCCESS' };
    return ok(host.admin.post(`/agents/${idOf('agentA')}/events`, report));
  }

  async function createdDeploymentObject(name: string): Promise<{ id: string }> {
    const stack = `stack${name[2]}`;
    await need([stack]);
    return ok(host.admin.post(`/stacks/${idOf(stack)}/deployment-objects`, { yaml_content: YAML[name] }));
  }

  async function need(names: readonly string[]): Promise<void> {
    for (const name of names) await make(name);
  }
  const idOf = (name: string) => ids.get(name);
  const resolved = (text: string) =>
    text
      .replaceAll('<id run>', run)
      .replaceAll('<run>', run)
      .replaceAll(/<id (\w+)>/g, (_all, name: string) => ids.get(name) ?? '')
      .replaceAll('<id>', () => randomUUID())
      .replaceAll(/<time( or null)?>/g, '2026-01-01T00:00:00.000000Z');

  function callerNamed(name: string): Api {
    if (name === 'none') return host.anonymous;
    return name === 'admin' ? host.admin : host.anonymous.as(keys.get(name));
  }

  async function take({ as, method, path, body }: Step): Promise<Answer> {
    await need([...(/^(gen|agent)/.test(as) ? [as] : []), ...idsIn(path), ...idsIn(body)].filter((name) => name !== 'run'));
    return callerNamed(as).send(method, resolved(path), body === undefined ? undefined : JSON.parse(resolved(JSON.stringify(body))));
  }
  return { run, idOf, need, take };
}

/** The body of an answer that has to be a success. */
export async function ok(call: Promise<Answer>) {
  const { status, body, text } = await call;
  if (status >= 300) throw new Error(`status ${status}: ${text}`);
  return body;
}
