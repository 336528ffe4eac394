import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect } from '@jest/globals';
import { pointerPath, valueAt } from '../../../agent/cluster/json-pointer.ts';
import { parseYamlDocuments } from '../../../lib/fleet/protocol/yaml-documents.ts';
import { eventually } from '../../agent/cluster-contract-objects.ts';
import type { Step, Story } from './stories.ts';

/** A file of `fixtures`, with the word NAMESPACE in the place of names that only one story may have. */
export const input = (name: string): string => readFileSync(join(import.meta.dirname, 'fixtures', `${name}.yaml`), 'utf8');

/** Objects as a text to post. */
export const objects = (...manifests: readonly object[]): string => manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n');

// What people do.

export const withNamespace: Step = async ({ kubectl }) => void (await kubectl(['create', 'namespace', 'NAMESPACE']));

/** `kubectl apply`, client-side. */
export const byHand =
  (text: string): Step =>
  async ({ kubectl }) =>
    void (await kubectl(['apply', '-f', '-'], text));

export const kubectl =
  (...args: readonly string[]): Step =>
  async (story) =>
    void (await story.kubectl(args));

/** A merge patch by hand, or as another manager. */
export const patch = (what: string, fields: object, ...more: readonly string[]): Step =>
  kubectl('patch', ...what.split('/'), '--type=merge', '--patch', JSON.stringify(fields), ...more);

/** Defines kinds, and waits until the agent can see the versions that are served, and no others. */
export const define =
  (text: string): Step =>
  async (story) => {
    await byHand(text)(story);
    for (const { spec } of definitionsIn(story.own(text)))
      for (const { name, served } of spec.versions)
        await eventually(
          async () => served === ((await story.cluster.findKind(`${spec.group}/${name}`, spec.names.kind, { fresh: true })) !== undefined),
        );
  };

interface Definition {
  spec: { group: string; names: { kind: string }; versions: { name: string; served: boolean }[] };
}
const definitionsIn = (text: string): Definition[] => parseYamlDocuments(text).map(({ value }) => value as Definition);

/** Waits until the API server refuses such an object: webhooks and policies rule a moment after they were applied. */
export const awaitRefusal =
  (text: string, namespace = 'NAMESPACE'): Step =>
  (story) =>
    eventually(async () => {
      const answer = story.kubectl(['create', '--dry-run=server', '--namespace', namespace, '-f', '-'], text);
      const error = await answer.catch((reason: unknown) => String(reason));
      return /forbidden|denied|failed calling webhook/.test(error);
    });

// What a stack does.

/** The steps that follow are about another stack of the same agent. */
export const stack =
  (name: string): Step =>
  (story) => {
    story.stack = name;
  };

/** Before it posts. */
export const annotated =
  (annotations: Record<string, string> | ((story: Story) => Record<string, string>)): Step =>
  (story) => {
    const now = typeof annotations === 'function' ? annotations(story) : annotations;
    story.plane.stackAnnotationsOf.set(story.stackId(story.stack), now);
  };

export const post =
  (text: string | ((story: Story) => string)): Step =>
  async (story) => {
    const yaml = typeof text === 'function' ? text(story) : text;
    story.plane.post(story.stackId(story.stack), story.own(yaml));
    (await story.agent()).wake();
  };

export const postMarker: Step = async (story) => {
  story.plane.post(story.stackId(story.stack), '', { marker: true });
  (await story.agent()).wake();
};

export const withdraw: Step = async (story) => {
  story.plane.withdraw(story.stackId(story.stack));
  (await story.agent()).wake();
};

export const restart: Step = ({ restart: again }) => again();

// What is said.

/** The stack's next event, whichever it is, has this status, and a message that says all of this. */
export const says =
  (status: 'SUCCESS' | 'FAILURE', ...patterns: readonly RegExp[]): Step =>
  async (story) => {
    await eventually(() => story.unread().length > 0, 60_000).catch(() => {
      throw new Error(`nothing is said of the stack; before: ${told(story)}`);
    });
    const event = story.read();
    const said = `${event?.status}: ${event?.message}`;
    expect(said).toMatch(new RegExp(`^${status}: `));
    for (const pattern of patterns) expect(said).toMatch(pattern);
  };

/** The stack's later events are all of this kind; sooner or later there is one. */
export const inTheEndSays =
  (status: 'SUCCESS' | 'FAILURE', pattern = /./): Step =>
  async (story) => {
    const isIt = () => story.unread().some((event) => event.status === status && pattern.test(event.message ?? ''));
    await eventually(isIt, 60_000).catch(() => {
      throw new Error(`never said: ${status} ${pattern}; but: ${told(story)}`);
    });
    while (story.unread().length > 0) story.read();
  };

/** In a while one of the stack's unread events says all of this. */
export const mentions =
  (...patterns: readonly RegExp[]): Step =>
  async (story) => {
    const isIt = () => story.unread().some(({ message }) => patterns.every((pattern) => pattern.test(message ?? '')));
    await eventually(isIt).catch(() => {
      throw new Error(`no event says ${patterns.join(' and ')}; but: ${told(story)}`);
    });
  };

/** The agent's metrics contain this. */
export const metricsSay =
  (pattern: RegExp): Step =>
  async (story) =>
    expect(await (await story.agent()).metrics.registry.metrics()).toMatch(pattern);

/** Nothing more was said of the stack. */
export const saysNothing: Step = (story) => {
  expect(story.unread().map(({ status, message }) => `${status}: ${message}`)).toEqual([]);
};

/** No event contains it, of whichever stack. */
export const neverSays =
  (text: string): Step =>
  ({ plane }) => {
    expect(plane.events.length).toBeGreaterThan(0);
    expect(JSON.stringify(plane.events)).not.toContain(text);
  };

/** All events of the stack so far say this. */
export const alwaysSays =
  (status: 'SUCCESS' | 'FAILURE', pattern: RegExp): Step =>
  (story) => {
    const ofStack = story.plane.events.filter(
      ({ deployment_object_id: id }) => story.plane.bodies.get(id)?.stack_id === story.stackId(story.stack),
    );
    const others = ofStack
      .map((event) => `${event.status}: ${event.message}`)
      .filter((said) => !said.startsWith(status) || !pattern.test(said));
    expect(others).toEqual([]);
  };

const told = ({ plane }: Story): string => plane.events.map(({ status, message }) => `\n  ${status}: ${message}`).join('') || 'nothing';

// What is so.

/** `what` as in `kubectl get`. Undefined if there is no such object, or it has no such field. */
async function read(story: Story, what: string, pointer: string): Promise<unknown> {
  const text = await story.kubectl(['get', ...what.split('/'), '--output', 'json', '--ignore-not-found']);
  return text === '' ? undefined : valuesAt(JSON.parse(text), pointer);
}

/** What a JSON pointer points to. Where it has a `*` for the items of a list, there is a list of what it says for each. */
function valuesAt(value: unknown, pointer: string): unknown {
  const [first = '', ...rest] = pointer.split('/*');
  const found = first === '' ? value : valueAt(value, pointerPath(first) ?? []);
  return rest.length > 0 && Array.isArray(found) ? found.map((item) => valuesAt(item, rest.join('/*'))) : found;
}

const owned = (story: Story, value: unknown): unknown => (value === undefined ? undefined : JSON.parse(story.own(JSON.stringify(value))));

/** An object in the cluster has this value now. */
export const has =
  (what: string, pointer: string, value: unknown): Step =>
  async (story) => {
    expect({ what, pointer, value: await read(story, what, pointer) }).toEqual({ what, pointer, value: owned(story, value) });
  };

/** It has the value in a while. */
export const becomes =
  (what: string, pointer: string, value: unknown): Step =>
  async (story) => {
    const expected = owned(story, value);
    await eventually(async () => isDeepStrictEqual(await read(story, what, pointer), expected)).catch(() => {});
    await has(what, pointer, value)(story);
  };

export const exists =
  (...names: readonly string[]): Step =>
  async (story) => {
    for (const what of names) expect([what, await isThere(story, what)]).toEqual([what, true]);
  };

export const isGone =
  (...names: readonly string[]): Step =>
  async (story) => {
    for (const what of names) expect([what, await isThere(story, what)]).toEqual([what, false]);
  };

export const appears =
  (what: string): Step =>
  (story) =>
    eventually(() => isThere(story, what));
export const disappears =
  (what: string): Step =>
  (story) =>
    eventually(async () => !(await isThere(story, what)));

const isThere = async (story: Story, what: string): Promise<boolean> =>
  (await story.kubectl(['get', ...what.split('/'), '--ignore-not-found', '--output', 'name'])).trim() !== '';

/** These steps leave a field of an object as it is, such as its uid: the object was not deleted and made again. */
export const keeping =
  (what: string, pointer: string, ...steps: readonly Step[]): Step =>
  async (story) => {
    const before = await read(story, what, pointer);
    expect([what, pointer, before]).not.toContain(undefined);
    for (const step of steps) await step(story);
    await has(what, pointer, before)(story);
  };

/** The opposite: the object was made again. */
export const renewing =
  (what: string, ...steps: readonly Step[]): Step =>
  async (story) => {
    const before = await read(story, what, '/metadata/uid');
    for (const step of steps) await step(story);
    const now = await read(story, what, '/metadata/uid');
    expect([what, now]).not.toContain(undefined);
    expect(now).not.toBe(before);
  };

// What the agent has done since.

type Attempt = 'apply' | 'check-health' | 'correct-drift' | 'remove';

/** Waits for so many more attempts of one sort. The first may be one that is just ending. */
export const attempts =
  (step: Attempt, count: number): Step =>
  async (story) =>
    attemptsInAll(step, (await attemptsOf(story, step)) + count)(story);

/** Waits until the agent's process has made so many. */
export const attemptsInAll =
  (step: Attempt, count: number): Step =>
  (story) =>
    eventually(async () => (await attemptsOf(story, step)) >= count, 60_000).catch(() => {
      throw new Error(`fewer than ${count} attempts to ${step}; said: ${told(story)}`);
    });

/** Waits for looks for drift that began from now on. */
export const looks = (count: number): Step => attempts('correct-drift', count + 1);

async function attemptsOf(story: Story, step: Attempt): Promise<number> {
  const { metrics } = await story.agent();
  const { values = [] } = (await metrics.registry.getSingleMetric('brokkr_agent_reconciles_total')?.get()) ?? {};
  return values.filter(({ labels }) => labels.step === step).reduce((sum, { value }) => sum + value, 0);
}
