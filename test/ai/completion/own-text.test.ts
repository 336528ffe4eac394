import { afterEach, expect, test } from '@jest/globals';
import { chatFront } from '../../../lib/ai/fronts/chat-front.ts';
import { silentLog } from '../../../lib/platform/log.ts';
import { gatewayWorld } from '../gateway-world.ts';
import { answers, completion, startUpstream } from '../scripted-upstream.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** What the caller receives of this answer of a provider. */
async function receivedOf(answer: string, n = 1): Promise<string> {
  const upstream = await startUpstream(answers(answer));
  const { ports, ...world } = gatewayWorld([{ url: upstream.url }]);
  open.push(upstream, world);
  const { text } = await chatFront(ports, {
    request_id: 'req_1',
    operation: 'chat',
    principal: {
      type: 'project-key',
      key_id: 'key',
      key_name: 'k',
      project_id: 'project',
      organization_id: 'org',
      plan: 'free',
      scopes: [],
      requests_per_minute: 100,
      tokens_per_minute: null,
      expires_at_ms: null,
    },
    options: {},
    forwarded: {},
    signal: new AbortController().signal,
    client_retries: 0,
    log: silentLog,
    noted: {},
    request: { model: 'm', messages: [{ role: 'user', content: 'hi' }], n },
  });
  return text ?? '';
}
const SOUND = JSON.stringify(completion('Hello')).slice(0, -1);

test('a sound answer keeps the provider’s own characters, and brokle comes at its end', async () => {
  const own = `${SOUND},"seed":9007199254740993,"t":1.0,"x":"\\u0041"`;
  const text = await receivedOf(`${own}}\n`);
  expect(text.startsWith(`${own},"brokle":{`)).toBe(true);
  expect(JSON.parse(text)).toMatchObject({ brokle: { cost: 0.000033 } });
});

test.each<[what: string, answer: Record<string, unknown>]>([
  ['is mended', { ...completion('Hello'), id: '' }],
  ['has no usage', { ...completion('Hello'), usage: undefined }],
  [
    'has reasoning in another place',
    completion('', {
      choices: [
        { index: 0, message: { role: 'assistant', content: 'a', refusal: null, reasoning: 'hm' }, logprobs: null, finish_reason: 'stop' },
      ],
    }),
  ],
  ['has a brokle already', { ...completion('Hello'), brokle: { cost: 7 } }],
])('an answer that %s is written anew', async (_what, answer) => {
  const received = JSON.parse(await receivedOf(JSON.stringify(answer)));
  expect(received).toMatchObject({
    id: expect.stringMatching(/./),
    usage: { prompt_tokens: expect.any(Number) },
    brokle: { provider: 'openai' },
  });
  expect(received.brokle.cost).not.toBe(7);
  if (JSON.stringify(answer).includes('reasoning')) expect(received.choices[0].message.reasoning_content).toBe('hm');
});
