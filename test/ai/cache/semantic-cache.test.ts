import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createAnswerCache } from '../../../lib/ai/cache/answer-cache.ts';
import { createSimilarAnswers } from '../../../lib/ai/cache/similar-answers.ts';
import { similarity, smallVector } from '../../../lib/ai/cache/small-vector.ts';
import type { IncomingChat } from '../../../lib/ai/completion/call/running-call.ts';
import type { ProjectSettings } from '../../../lib/ai/routing/project-settings.ts';
import { AppError } from '../../../lib/platform/errors.ts';
import { newId } from '../../../lib/platform/ids.ts';
import { silentLog } from '../../../lib/platform/log.ts';
import { gatewayWorld } from '../gateway-world.ts';
import { openUsageStore, standingClock, type UsageStore } from '../limits/usage-store.ts';
import { answers, completion, fails, type Script, startUpstream } from '../scripted-upstream.ts';

let store: UsageStore;
beforeAll(async () => {
  store = await openUsageStore();
});
afterAll(() => store.close());
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** Directions in a plane, in degrees: a text is as similar to another as their angles are near. */
const ANGLES: Record<string, number> = { 'What is the capital of France?': 0, "France's capital?": 10, 'How tall is Everest?': 80 };
const [CAPITAL, SAME, OTHER] = Object.keys(ANGLES);
const embeds: Script = (call, response) => {
  const angle = ((ANGLES[call.body.input] ?? 45) * Math.PI) / 180;
  const data = [{ object: 'embedding', index: 0, embedding: [Math.cos(angle), Math.sin(angle)] }];
  return answers({ object: 'list', data, model: 'e', usage: { prompt_tokens: 5, total_tokens: 5 } })(call, response);
};

const SEMANTIC: ProjectSettings['cache'] = { strategy: 'semantic', ttl_seconds: 60, similarity_threshold: 0.95, embedding_model: 'm' };
async function semantic(cache: Partial<ProjectSettings['cache']> = {}, embedding: Script = embeds) {
  const upstream = await startUpstream((call, response) =>
    call.path.endsWith('/embeddings') ? embedding(call, response) : answers(completion('Paris'))(call, response),
  );
  const world = gatewayWorld([{ url: upstream.url }], { cache: { ...SEMANTIC, ...cache } });
  const clock = standingClock(Date.parse('2026-01-07T12:00:00Z'));
  world.ports.cache = createAnswerCache({ database: store.database, clock, log: silentLog });
  world.ports.similarAnswers = createSimilarAnswers({ database: store.database, clock, log: silentLog });
  open.push(world, upstream);
  const project = newId();
  const principal = (project_id: string): IncomingChat['principal'] => ({
    type: 'project-key',
    key_id: 'key',
    key_name: 'k',
    project_id,
    organization_id: 'org',
    plan: 'free',
    scopes: [],
    requests_per_minute: 100,
    tokens_per_minute: null,
    expires_at_ms: null,
  });
  /** `HIT` or `MISS` for a question of the user after these messages. */
  const ask = async (
    text: string | undefined,
    more: Record<string, unknown> = {},
    call: Partial<IncomingChat> & { project?: string } = {},
  ) => {
    const { before = [], ...request } = more;
    const messages = [...(Array.isArray(before) ? before : []), { role: 'user', content: text }];
    const answer = await world.chat({ messages, ...request }, { principal: principal(call.project ?? project), ...call });
    return answer.headers['x-brokle-cache'];
  };
  return { ...world, upstream, clock, ask };
}

test('a question of the same meaning is answered from the cache, one of another meaning is not', async () => {
  const { ask, records } = await semantic();
  expect([await ask(CAPITAL), await ask(SAME), await ask(OTHER)]).toEqual(['MISS', 'HIT', 'MISS']);
  const embedding = ['embeddings', '5000000', '0'];
  expect(records.map(({ operation, cost_pico_usd, saved_pico_usd }) => [operation, cost_pico_usd, saved_pico_usd])).toEqual([
    embedding,
    ['chat', '33000000', '0'],
    embedding,
    ['chat', '0', '33000000'],
    embedding,
    ['chat', '33000000', '0'],
  ]);
});

test('an equal question needs no embedding', async () => {
  const { ask, upstream } = await semantic();
  await ask(CAPITAL);
  const before = upstream.calls.length;
  expect(await ask(CAPITAL)).toBe('HIT');
  expect(upstream.calls.length).toBe(before);
});

test('a call can ask for another similarity', async () => {
  const { ask } = await semantic();
  await ask(CAPITAL);
  expect(await ask(SAME, {}, { options: { cache_similarity_threshold: 0.99 } })).toBe('MISS');
});

describe('nothing else may differ', () => {
  const system = (content: string) => ({ before: [{ role: 'system', content }] });
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['the system prompt', system('Be brief.'), system('Be long.')],
    [
      'the history',
      {
        before: [
          { role: 'user', content: 'a' },
          { role: 'assistant', content: 'b' },
        ],
      },
      {},
    ],
    ['the end user', { user: 'one' }, { user: 'two' }],
    ['the temperature', { temperature: 0 }, { temperature: 1 }],
  ])('a question with another value for %s asks the provider', async (_name, first, second) => {
    const { ask } = await semantic();
    expect([await ask(CAPITAL, first), await ask(SAME, second), await ask(SAME, first)]).toEqual(['MISS', 'MISS', 'HIT']);
  });

  test('another project, and another end user of the options, ask the provider', async () => {
    const { ask } = await semantic();
    await ask(CAPITAL);
    expect(await ask(SAME, {}, { project: newId() })).toBe('MISS');
    expect(await ask(SAME, {}, { options: { user_id: 'u' } })).toBe('MISS');
  });

  test('requests with tools or pictures are never similar', async () => {
    const { ask } = await semantic();
    const tools = { tools: [{ type: 'function', function: { name: 'f' } }] };
    expect([await ask(CAPITAL, tools), await ask(SAME, tools)]).toEqual(['MISS', 'MISS']);
    const picture = { before: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }] };
    expect([await ask(CAPITAL, picture), await ask(SAME, picture)]).toEqual(['MISS', 'MISS']);
  });
});

test('a similar answer ends with its time', async () => {
  const { ask, clock } = await semantic();
  await ask(CAPITAL);
  clock.move(60_000);
  expect(await ask(SAME)).toBe('MISS');
});

test('without an embedding model only equal questions are found, and the answer says so', async () => {
  const { ask, records } = await semantic({ embedding_model: null });
  expect([await ask(CAPITAL), await ask(SAME), await ask(CAPITAL)]).toEqual(['MISS', 'MISS', 'HIT']);
  expect(records[0]?.warnings.join()).toContain('embedding model');
});

test('embedding a question is reserved in the budgets of its project, and one without room is a miss', async () => {
  const { ask, ports, settings } = await semantic();
  Object.assign(settings, { budgets: [{ id: 'b', scope: 'organization', scope_id: 'org', period: 'day', limit_pico_usd: 1n }] });
  const reserved: string[] = [];
  ports.reserve = async ({ request_id }) => {
    reserved.push(request_id);
    if (request_id.endsWith('-question')) throw new AppError('quota_exceeded', 'no room');
    return { settle: async () => {} };
  };
  expect([await ask(CAPITAL), await ask(SAME)]).toEqual(['MISS', 'MISS']);
  expect(reserved).toEqual(['req_1-question', 'req_1', 'req_1-question', 'req_1']);
});

test('a provider of embeddings that fails costs a miss, not the call', async () => {
  const { ask } = await semantic({}, fails(500));
  expect([await ask(CAPITAL), await ask(SAME)]).toEqual(['MISS', 'MISS']);
});

test('the direction of a vector in bytes is that of the vector', () => {
  const vector = Array.from({ length: 1_536 }, (_, index) => Math.sin(index * 7.3));
  const near = vector.map((value, index) => value + 0.3 * Math.cos(index * 3.1));
  const cosine = (a: number[], b: number[]) => {
    const dot = (x: number[], y: number[]) => x.reduce((sum, value, index) => sum + value * (y[index] ?? 0), 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };
  expect(similarity(smallVector(vector), smallVector(near))).toBeCloseTo(cosine(vector, near), 2);
  expect(similarity(smallVector([1, 0]), smallVector([1, 0, 0]))).toBe(0);
  expect(similarity(smallVector([0, 0]), smallVector([1, 0]))).toBe(0);
});
