import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { httpGroups } from '../../functions/registry.ts';
import { createRouter } from '../../lib/platform/http/router.ts';
import type { Answer } from '../harness/client.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { turningClock } from '../identity/turning-clock.ts';
import { createWorld, type World } from './contract-world.ts';
import { differences } from './example-differences.ts';
import { preparations } from './example-preparations.ts';
import { deviations, type Example, idsIn, readExamples } from './recorded-example.ts';

const examples = readExamples();
const routed = createRouter(httpGroups.flatMap(({ endpoints }) => endpoints));
/** The paths of parts of the contract that are not built yet. */
const LATER = /\/(health-status|health|fleet-status|diagnostics|diagnostics\/pending|webhooks\/pending)$/;
const isLater = ({ path }: Example) => LATER.test(path);
const pathOf = ({ path }: Example) => path.replaceAll(/<[^>]*>/g, 'x').replace(/\?.*/, '');

const clock = turningClock();
let host: TestHost;
beforeAll(async () => {
  host = await startTestHost({ clock });
});
afterAll(() => host.stop());

async function answerTo(example: Example): Promise<{ answer: Answer; world: World }> {
  const world = createWorld(host);
  for (const step of preparations[example.key] ?? []) {
    if ('waitMs' in step) {
      clock.turn(step.waitMs);
      continue;
    }
    const { status, text } = await world.take(step);
    if (status >= 300) throw new Error(`cannot prepare ${example.key}: ${step.method} ${step.path} answered ${status} ${text}`);
  }
  // A read shows things that must exist before. A write makes the things in its answer itself.
  if (example.method === 'GET') await world.need(idsIn(example.answer).filter((name) => name !== 'run'));
  return { answer: await ask(world, example), world };
}

/** For one audit log the recording contains only the actions. */
const digested = (example: Example, answer: Answer): Answer =>
  idsIn(example.answer).length === 0 && example.path.includes('limit=1000')
    ? { ...answer, body: { actions: answer.body.logs.map((log: { action: string }) => log.action) } }
    : answer;

const isBelowApi = ({ path }: Example) => path.startsWith('/api/v1/');
async function ask(world: World, example: Example): Promise<Answer> {
  const { as, method, path, sent } = example;
  if (isBelowApi(example)) return world.take({ as, method, path: path.slice('/api/v1'.length), body: sent });
  return host.root.send(method, path, sent);
}

describe('a client of Brokkr 0.9.1', () => {
  const built = examples.filter((example) => !isLater(example));
  test.each(built)('$key: a client of Brokkr 0.9.1 gets the recorded answer', async (example) => {
    const difference = differences.find(({ about }) => about(example));
    const { answer, world } = await answerTo(example);
    const found = deviations(example, digested(example, answer), world);
    if (!difference) return expect(found).toEqual([]);
    // A difference that no longer exists must leave the list.
    expect(found).not.toEqual([]);
    expect(deviations({ ...example, ...difference.ours(example) }, answer, world)).toEqual([]);
  });
});

test('every listed difference and every preparation belongs to an example', () => {
  expect(differences.filter(({ about }) => !examples.some(about)).map(({ reason }) => reason)).toEqual([]);
  const keys = new Set(examples.map(({ key }) => key));
  expect(Object.keys(preparations).filter((key) => !keys.has(key))).toEqual([]);
});

test('no example is skipped if its path is served', () => {
  const served = examples.filter((example) => isLater(example) && routed(example.method, pathOf(example)).kind !== 'not-found');
  expect(served.map(({ key }) => key)).toEqual([]);
});
